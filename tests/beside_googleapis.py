"""The Python stubs live in one process beside the real googleapis: there is one google.api, that of its own package."""

import importlib
import pkgutil
from importlib.metadata import files
from pathlib import Path

from google.api import annotations_pb2, client_pb2, field_behavior_pb2, http_pb2, resource_pb2
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2, status_pb2
from google.type import latlng_pb2, money_pb2

import partnership.registry.v1 as contract

GOOGLEAPIS = [annotations_pb2, client_pb2, field_behavior_pb2, http_pb2, resource_pb2]
GOOGLEAPIS += [error_details_pb2, status_pb2, latlng_pb2, money_pb2]

stubs = [importlib.import_module(f"{contract.__name__}.{one.name}") for one in pkgutil.iter_modules(contract.__path__)]
messages = [module for module in stubs if module.__name__.endswith("_pb2")]
assert len(messages) >= 16, messages

# One file of each name, and it is the one that the module of googleapis-common-protos has.
theirs = {Path(path.locate()).resolve() for path in files("googleapis-common-protos")}
for module in GOOGLEAPIS:
    assert descriptor_pool.Default().FindFileByName(module.DESCRIPTOR.name) is module.DESCRIPTOR, module
    assert Path(module.__file__).resolve() in theirs, module
shadowing = [str(path) for path in files("partnership-registry") if path.parts[0] == "google"]
assert not shadowing, shadowing

# What the schemas import is that, and no second of the same name.
imported = {file.name: file for module in messages for file in module.DESCRIPTOR.dependencies}
for module in (annotations_pb2, field_behavior_pb2, resource_pb2, money_pb2):
    assert imported[module.DESCRIPTOR.name] is module.DESCRIPTOR, module

# The annotations can be read by it, which only the real ones can all be.
country = importlib.import_module(f"{contract.__name__}.country_pb2").Country.DESCRIPTOR
behaviours = country.fields_by_name["display_name"].GetOptions().Extensions[field_behavior_pb2.field_behavior]
assert list(behaviours) == [field_behavior_pb2.REQUIRED], behaviours
assert country.GetOptions().Extensions[resource_pb2.resource].type == "partnership.registry/Country"
assert "additional_bindings" in http_pb2.HttpRule.DESCRIPTOR.fields_by_name, "this is not the real google.api"

print(f"{len(stubs)} modules beside googleapis-common-protos")
