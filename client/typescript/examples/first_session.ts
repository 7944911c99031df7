/**
 * A first session: create, list in pages, watch, resume a watch, say who and why, and read findings and errors.
 *
 * `npm run example -- [URL]`. It adds four organizations to whatever the registry holds, and asserts what it says.
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { caller, connect, newRequestId, refusal, type Refusal } from "partnership-registry";
import type { Commit } from "partnership-registry/v1/commit";
import { FindingCode } from "partnership-registry/v1/common";
import { type Organization, type OrganizationSchema, OrganizationService } from "partnership-registry/v1/organization";
import { RegistryService } from "partnership-registry/v1/registry_service";

/** A call may take so long. A call without a deadline waits as long as it takes. */
const options = { timeoutMs: 30_000 };

type Organizations = Client<typeof OrganizationService>;
type Registry = Client<typeof RegistryService>;

/** Creates a ministry and its three departments. Without an id in the request, the server makes one. */
async function create(organizations: Organizations, session: string): Promise<Organization> {
  const made = (organization: MessageInitShape<typeof OrganizationSchema>) =>
    organizations.createOrganization(
      { organization: { labels: { session }, ...organization }, requestId: newRequestId() },
      options,
    );

  // What is strange and no mistake is accepted, and told of.
  const ministry = await made({ displayName: "Ministry of Science", website: "to be announced" });
  assert.deepEqual(
    ministry.findings.map(({ code, field }) => [code, field]),
    [[FindingCode.LINK_NOT_URI, "website"]],
  );
  for (const displayName of ["Basic Research", "Applied Research", "Cooperation"]) {
    const department = await made({ displayName, parent: ministry.name });
    assert.match(department.name, /^organizations\//);
    assert.notEqual(department.etag, "");
  }
  return ministry;
}

/** Reads a listing page by page, of each resource only what is wanted. All pages show the same revision. */
async function listInPages(organizations: Organizations, session: string): Promise<bigint> {
  const request = {
    filter: `labels.session = "${session}"`,
    orderBy: "display_name",
    pageSize: 3,
    readMask: { paths: ["display_name"] },
  };
  const names: string[] = [];
  const sizes: number[] = [];
  let page = await organizations.listOrganizations(request, options);
  for (;;) {
    names.push(...page.organizations.map((organization) => organization.displayName));
    sizes.push(page.organizations.length);
    assert(page.organizations.every(({ labels }) => Object.keys(labels).length === 0));
    if (page.nextPageToken === "") break;
    page = await organizations.listOrganizations({ ...request, pageToken: page.nextPageToken }, options);
  }
  assert.deepEqual(sizes, [3, 1]);
  assert.deepEqual(names, ["Applied Research", "Basic Research", "Cooperation", "Ministry of Science"]);
  return page.revision;
}

/** Changes one field, and says who does it and why, in whatever script. */
async function rename(organizations: Organizations, name: string, displayName: string): Promise<void> {
  const request = {
    organization: { name, displayName },
    updateMask: { paths: ["display_name"] },
    requestId: newRequestId(),
  };
  const headers = caller("김민수", "명칭 변경, 외교부 확인");
  await organizations.updateOrganization(request, { ...options, headers });
}

/** Watches from a revision on until a commit changes the resource; answers the commit. */
async function nextCommit(registry: Registry, afterRevision: bigint, name: string): Promise<Commit> {
  const request = {
    start: { case: "afterRevision" as const, value: afterRevision },
    collections: ["organizations"],
  };
  // Whoever leaves the loop has to end the call. A signal bounds it, too: the timer of `timeoutMs` would go on.
  const left = new AbortController();
  const signal = AbortSignal.any([left.signal, AbortSignal.timeout(options.timeoutMs)]);
  try {
    for await (const { event } of registry.watch(request, { signal })) {
      // Between commits come heartbeats, which tell a revision to resume from as well.
      if (event.case === "commit" && event.value.commit?.changes.some((change) => change.name === name)) {
        return event.value.commit;
      }
    }
  } finally {
    left.abort();
  }
  throw new Error("a watch does not end by itself");
}

/** The name that a commit gave to the organization that it changed. */
function newName(commit: Commit): string {
  const kind = commit.changes[0]?.after?.kind;
  assert(kind?.case === "organization");
  return kind.value.displayName;
}

/** Sees a change, and after a break only what came since. */
async function watchAndResume(
  organizations: Organizations,
  registry: Registry,
  name: string,
  revision: bigint,
): Promise<void> {
  await rename(organizations, name, "Ministry of Science and Technology");
  const first = await nextCommit(registry, revision, name);
  assert.deepEqual([first.actor, first.reason], ["김민수", "명칭 변경, 외교부 확인"]);
  assert.equal(newName(first), "Ministry of Science and Technology");

  await rename(organizations, name, "Ministry of Science and ICT");
  const second = await nextCommit(registry, first.revision, name);
  assert.equal(newName(second), "Ministry of Science and ICT");
}

/** What is told by a call that must fail. */
async function refused(call: Promise<unknown>): Promise<Refusal> {
  return refusal(
    await call.then(
      () => assert.fail("the call was not refused"),
      (error: unknown) => error,
    ),
  );
}

/** Reads what errors tell: every broken field, what stands in the way, and the reason for programs. */
async function readErrors(organizations: Organizations, ministry: string): Promise<void> {
  const broken = await refused(
    organizations.createOrganization({ organization: { seat: { regionCode: "kr" } } }, options),
  );
  assert.deepEqual([broken.code, broken.reason], [Code.InvalidArgument, "INVALID_FIELDS"]);
  const rules = Object.fromEntries(broken.fields.map(({ field, description }) => [field, description]));
  assert.deepEqual(rules, {
    "organization.display_name": "is required",
    "organization.seat.region_code": "must be two capital letters (ISO 3166-1 alpha-2)",
  });

  const referred = await refused(organizations.deleteOrganization({ name: ministry }, options));
  assert.deepEqual([referred.code, referred.reason], [Code.FailedPrecondition, "STILL_REFERENCED"]);
  assert.deepEqual([referred.metadata["name"], referred.metadata["referrers"]], [ministry, "3"]);
  assert.deepEqual(
    referred.preconditions.map(({ type }) => type),
    ["REFERRED_TO", "REFERRED_TO", "REFERRED_TO"],
  );
}

const transport = connect(process.argv[2] ?? "http://localhost:50051");
const organizations = createClient(OrganizationService, transport);
const registry = createClient(RegistryService, transport);

const ministry = await create(organizations, randomBytes(6).toString("hex"));
const revision = await listInPages(organizations, ministry.labels["session"] ?? "");
await watchAndResume(organizations, registry, ministry.name, revision);
await readErrors(organizations, ministry.name);
console.log(`all as expected; see \`partnerctl history ${ministry.name}\``);
