"""What pyproject.toml cannot say: the wheel has the files of `params/` as `rnnkit/examples/`."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FILES = sorted(str(file) for file in Path("params").rglob("*.yaml"))


class BuildWithExamples(build_py):
    """Copies the example params files beside the code; an editable install reads `params/`."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for file, target in zip(FILES, self._targets(), strict=True):
                self.mkpath(str(Path(target).parent))
                self.copy_file(file, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs: list[str] = super().get_outputs(include_bytecode)
        return outputs if self.editable_mode else [*outputs, *self._targets()]

    def _targets(self) -> list[str]:
        places = (Path(file).relative_to("params") for file in FILES)
        return [str(Path(self.build_lib, "rnnkit/examples", place)) for place in places]


setup(cmdclass={"build_py": BuildWithExamples})
