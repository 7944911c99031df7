"""Generates the stubs from the schemas of the repository while the wheel is built.

`google.api` and `google.type` are those of googleapis-common-protos, which the package depends on: the schemas find its
.proto files, and the stubs import its modules. No stub of `google` is generated here.
"""

import tempfile
from pathlib import Path

import grpc_tools
from google.api import annotations_pb2
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# In a checkout of the repository, and in an unpacked sdist.
SCHEMAS = ("../../proto", "schemas")


class BuildStubs(BuildHookInterface):
    """Adds the package `partnership` to the wheel."""

    def initialize(self, version, build_data):
        if version == "editable":
            raise RuntimeError("the stubs are made while a wheel is built; install without --editable")
        schemas = self._schemas()
        self._stubs = tempfile.TemporaryDirectory()
        names = [str(path.relative_to(schemas)) for path in sorted(schemas.rglob("*.proto"))]
        arguments = [
            "protoc",
            f"--proto_path={schemas}",
            # The files of googleapis-common-protos lie beside its modules; those of protobuf itself come with protoc.
            f"--proto_path={Path(annotations_pb2.__file__).parents[2]}",
            f"--proto_path={Path(grpc_tools.__file__).parent / '_proto'}",
            f"--python_out={self._stubs.name}",
            f"--pyi_out={self._stubs.name}",
            f"--grpc_python_out={self._stubs.name}",
        ]
        if protoc.main([*arguments, *names]) != 0:
            raise RuntimeError("protoc failed; its messages stand above")
        package = Path(self._stubs.name, "partnership")
        (package / "py.typed").touch()
        build_data["force_include"][str(package)] = "partnership"

    def finalize(self, version, build_data, artifact_path):
        self._stubs.cleanup()

    def _schemas(self):
        for folder in SCHEMAS:
            schemas = Path(self.root, folder).resolve()
            if (schemas / "partnership").is_dir():
                return schemas
        raise RuntimeError("the schemas are missing; build from a checkout of the repository, or from the sdist")
