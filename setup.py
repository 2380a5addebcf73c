"""What pyproject.toml cannot say: the workflow and what it reads go into the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# See lib/project.py. A checkout has them beside the package instead.
PROJECT = ("workflow", "config", "profiles", "resources", "environment.yml")


class WithProject(build_py):
    """Copies the parts of the project that are no code of the library beside the package's."""

    def run(self) -> None:
        """Build the package, then add the project to it."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "lib", "_project")
        # What an earlier build left may be gone from the project by now.
        shutil.rmtree(target, ignore_errors=True)
        unwanted = shutil.ignore_patterns("__pycache__", "data")
        for name in PROJECT:
            if Path(name).is_dir():
                shutil.copytree(name, target / name, ignore=unwanted)
            else:
                shutil.copy(name, target / name)


setup(cmdclass={"build_py": WithProject})
