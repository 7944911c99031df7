"""A first session: create, list in pages, watch, resume a watch, say who and why, and read findings and errors.

`python first_session.py [ADDRESS]`. It adds four organizations to whatever the registry holds, and asserts what it says.
"""

import sys
import uuid

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from partnership.registry.v1 import (
    common_pb2,
    organization_pb2,
    organization_pb2_grpc,
    registry_service_pb2,
    registry_service_pb2_grpc,
)
from partnership_registry import caller, connect, new_request_id, refusal

# Seconds that a call may take. A call without a deadline waits as long as it takes.
TIMEOUT = 30

Organization = organization_pb2.Organization


def create(organizations, session):
    """Creates a ministry and its three departments. Without an id in the request, the server makes one."""

    def made(**fields):
        request = organization_pb2.CreateOrganizationRequest(
            organization=Organization(labels={"session": session}, **fields),
            request_id=new_request_id(),
        )
        return organizations.CreateOrganization(request, timeout=TIMEOUT)

    # What is strange and no mistake is accepted, and told of.
    ministry = made(display_name="Ministry of Science", website="to be announced")
    assert [finding.field for finding in ministry.findings] == ["website"], ministry
    assert ministry.findings[0].code == common_pb2.FINDING_CODE_LINK_NOT_URI, ministry
    for name in ("Basic Research", "Applied Research", "Cooperation"):
        department = made(display_name=name, parent=ministry.name)
        assert department.name.startswith("organizations/") and department.etag
    return ministry


def list_in_pages(organizations, session):
    """Reads a listing page by page, of each resource only what is wanted. All pages show the same revision."""
    request = organization_pb2.ListOrganizationsRequest(
        filter=f'labels.session = "{session}"',
        order_by="display_name",
        page_size=3,
        read_mask=FieldMask(paths=["display_name"]),
    )
    names, sizes = [], []
    while True:
        page = organizations.ListOrganizations(request, timeout=TIMEOUT)
        names += [organization.display_name for organization in page.organizations]
        assert not any(organization.labels for organization in page.organizations), page
        sizes.append(len(page.organizations))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert sizes == [3, 1], sizes
    assert names == ["Applied Research", "Basic Research", "Cooperation", "Ministry of Science"], names
    return page.revision


def rename(organizations, name, display_name):
    """Changes one field, and says who does it and why, in whatever script."""
    request = organization_pb2.UpdateOrganizationRequest(
        organization=Organization(name=name, display_name=display_name),
        update_mask=FieldMask(paths=["display_name"]),
        request_id=new_request_id(),
    )
    who = caller(actor="김민수", reason="명칭 변경, 외교부 확인")
    return organizations.UpdateOrganization(request, metadata=who, timeout=TIMEOUT)


def next_commit(registry, after_revision, name):
    """Watches from a revision on until a commit changes the resource; answers the commit."""
    request = registry_service_pb2.WatchRequest(after_revision=after_revision, collections=["organizations"])
    watch = registry.Watch(request, timeout=TIMEOUT)
    for message in watch:
        # Between commits come heartbeats, which tell a revision to resume from as well.
        if message.WhichOneof("event") == "commit":
            commit = message.commit.commit
            if any(change.name == name for change in commit.changes):
                watch.cancel()
                return commit
    raise AssertionError("a watch does not end by itself")


def watch_and_resume(organizations, registry, name, revision):
    """Sees a change, and after a break only what came since."""
    rename(organizations, name, "Ministry of Science and Technology")
    commit = next_commit(registry, revision, name)
    assert (commit.actor, commit.reason) == ("김민수", "명칭 변경, 외교부 확인"), commit
    assert commit.changes[0].after.organization.display_name == "Ministry of Science and Technology"

    rename(organizations, name, "Ministry of Science and ICT")
    commit = next_commit(registry, commit.revision, name)
    assert commit.changes[0].after.organization.display_name == "Ministry of Science and ICT"


def refused(call, request):
    """What is told by a call that must fail."""
    try:
        call(request, timeout=TIMEOUT)
    except grpc.RpcError as error:
        return refusal(error)
    raise AssertionError("the call was not refused")


def read_errors(organizations, ministry):
    """Reads what errors tell: every broken field, what stands in the way, and the reason for programs."""
    organization = Organization(seat={"region_code": "kr"})
    told = refused(
        organizations.CreateOrganization,
        organization_pb2.CreateOrganizationRequest(organization=organization),
    )
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELDS"), told
    rules = {violation.field: violation.description for violation in told.fields}
    assert rules == {
        "organization.display_name": "is required",
        "organization.seat.region_code": "must be two capital letters (ISO 3166-1 alpha-2)",
    }, rules

    told = refused(
        organizations.DeleteOrganization,
        organization_pb2.DeleteOrganizationRequest(name=ministry),
    )
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "STILL_REFERENCED"), told
    assert (told.metadata["name"], told.metadata["referrers"]) == (ministry, "3"), told
    assert [violation.type for violation in told.preconditions] == ["REFERRED_TO"] * 3, told


def main(address):
    session = uuid.uuid4().hex[:12]
    with connect(address) as channel:
        organizations = organization_pb2_grpc.OrganizationServiceStub(channel)
        registry = registry_service_pb2_grpc.RegistryServiceStub(channel)
        ministry = create(organizations, session)
        revision = list_in_pages(organizations, session)
        watch_and_resume(organizations, registry, ministry.name, revision)
        read_errors(organizations, ministry.name)
    print(f"all as expected; see `partnerctl history {ministry.name}`")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "localhost:50051")
