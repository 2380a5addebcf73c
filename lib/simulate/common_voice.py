"""Simulated Common Voice, Spanish: mp3 clips and their tables, in the layout of version 6.1."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

from lib.simulate import voice
from lib.simulate.common import generator, to_rms, write_audio, write_text

RATE = 48000  # Hz
LEAST_SPEAKERS = 4

COLUMNS = (
    *("client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender"),
    *("accent", "locale", "segment"),
)
"""The columns of `validated.tsv`."""

SPEAKERS = {
    "nortepeninsular": 7,
    "surpeninsular": 7,
    "rioplatense": 14,
    "mexicano": 14,
    "andino": 7,
    "caribe": 7,
    "": 4,
}
"""Speakers at scale 1, by the accent code of version 6.1; empty where none is given."""

MANNERS = {
    "nortepeninsular": voice.Manner(6.0, 1.2, 1.3, -5.0, 2.5, 1.0, 4600, swell=-14, coda=True),
    "surpeninsular": voice.Manner(6.4, 1.2, 1.2, -4.0, 3.0, 0.8, 5200, swell=-14, coda=True),
    "rioplatense": voice.Manner(5.2, 1.7, 1.6, -6.0, 5.0, 0.9, 4800, swell=14, coda=True),
    "mexicano": voice.Manner(5.4, 1.3, 1.9, 1.0, 3.0, 1.1, 5400, swell=14),
    "andino": voice.Manner(5.0, 1.1, 1.3, -1.0, 1.2, 1.2, 5400, swell=-14),
    "caribe": voice.Manner(6.4, 1.4, 1.2, -2.5, 4.0, 0.8, 5000, swell=-14),
    "": voice.Manner(),
}
"""How each accent speaks here: a caricature, made to be learnable and no more."""

_SENTENCES = (
    "La lluvia llegó antes de la noche.",
    'El letrero decía "cerrado" desde el lunes.',
    '"No vuelvas tarde", pidió la abuela.',
    "¿Quién dejó abierta la ventana?",
    "El camino baja hasta el río y después sube.",
    "Mañana sale el primer tren hacia la costa.",
    "¡ qué frío hace en esta casa!",
    'Llamaron al barco "La Paloma" y nadie supo por qué.',
    "Compró pan, queso y dos manzanas verdes.",
    "siete",
    "El médico escucha el corazón con atención.",
    'Nadie oyó la palabra "fuego".',
)


def speakers(scale: float) -> dict[str, int]:
    """Count the speakers of each accent at a scale."""
    return {accent: max(LEAST_SPEAKERS, round(usual * scale)) for accent, usual in SPEAKERS.items()}


def _table(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    # Published as a spreadsheet program writes it: quotes doubled, lines ended by CR LF.
    writer = csv.writer(stream, delimiter="\t", lineterminator="\r\n")
    writer.writerows([COLUMNS, *rows])
    return stream.getvalue()


def write(folder: Path, *, seed: int, scale: float) -> None:
    """Write `es/clips/` and `es/validated.tsv`.

    Parameters
    ----------
    folder : Path
        Where to; the top folder of the version is made in it.
    seed : int
        Seed.
    scale : float
        Multiplies the speakers of each accent, never below 4.
    """
    from scipy.signal import resample_poly

    top = folder / "cv-corpus-6.1-2020-12-11" / "es"
    rows: list[list[str]] = []
    for accent, count in speakers(scale).items():
        for number in range(count):
            name = f"{accent or 'none'}/{number}"
            rng = generator(seed, "common_voice", name)
            woman = bool(rng.random() < 0.4)
            speaker = voice.draw_speaker(rng, woman=woman)
            identity = hashlib.sha512(f"{seed}/{name}".encode()).hexdigest()
            age = str(
                rng.choice(["teens", "twenties", "thirties", "fourties", "fifties", "sixties"])
            )
            about = [age, "female" if woman else "male"] if accent else ["", ""]
            level = rng.normal(-24, 4)
            for clip in range(int(rng.integers(4, 6))):
                local = generator(seed, "common_voice", f"{name}/{clip}")
                seconds = float(local.uniform(4, 5.5))
                sound = voice.speak(local, speaker, seconds, manner=MANNERS[accent])
                sound = to_rms(resample_poly(sound, 3, 1), float(level + local.normal(0, 1)))
                code = int(hashlib.sha256(f"{seed}/{name}/{clip}".encode()).hexdigest()[:12], 16)
                path = f"common_voice_es_{18_000_000 + code % 5_000_000}.mp3"
                write_audio(top / "clips" / path, sound, RATE)
                sentence = _SENTENCES[int(local.integers(len(_SENTENCES)))]
                votes = ["2", str(int(local.random() < 0.1))]
                segment = "Benchmark" if sentence == "siete" else ""
                rows.append([identity, path, sentence, *votes, *about, accent, "es", segment])
    # The published rows are in no order that would tell the accents apart.
    rows.sort(key=lambda row: hashlib.sha256(row[1].encode()).digest())
    write_text(top / "validated.tsv", _table(rows))
