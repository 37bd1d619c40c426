/** What can be found, and what `--repair` does about it. Codes are stable. A test compares docs/fsck.md with this table. */
import type {ContainerName} from '../layout/container-name.ts'

/** `removes`: removes it; `supervisor`: asks the container's supervisor; `none`: people have to decide. */
export type RepairKind = 'removes' | 'supervisor' | 'none'

export const findingTable = {
  JOURNAL_DAMAGED: {repair: 'none', meaning: 'A line of a journal is no event, or does not follow from those before it.'},
  JOURNAL_TORN: {
    repair: 'none',
    meaning: 'The last line of a journal that nobody writes is half written; the next supervisor cuts it off.',
  },
  JOURNAL_MISPLACED: {repair: 'none', meaning: 'A journal is that of another container or node than its directory says.'},
  JOURNAL_MISSING: {repair: 'removes', meaning: 'A state directory has no journal: its container was never begun.'},
  SUPERVISOR_MISSING: {
    repair: 'none',
    meaning: 'A container has no shim that would start its supervisor; `tally up` finds it, and starts one.',
  },
  INIT_GONE: {repair: 'none', meaning: 'The ledger says that a container runs, and its init is not there.'},
  RUNTIME_DISAGREES: {repair: 'none', meaning: 'The OCI runtime says something else of a container than the ledger.'},
  RUNTIME_ORPHAN: {repair: 'removes', meaning: 'The OCI runtime has a container that no ledger of this node knows.'},
  MOUNT_ORPHAN: {repair: 'removes', meaning: 'Something is mounted for a container that is not there.'},
  CGROUP_ORPHAN: {repair: 'removes', meaning: 'A control group is left of a container that this node had; what is in it is killed.'},
  PROCESS_ORPHAN: {repair: 'none', meaning: 'A process has files open of a container that is not there.'},
  RUN_DIR_ORPHAN: {repair: 'removes', meaning: 'FIFOs or pid files are left of a container that is not there.'},
  FIFO_MISSING: {repair: 'none', meaning: 'A container runs, and the FIFOs of its output are gone from the run directory.'},
  STREAM_ABSENT: {repair: 'supervisor', meaning: 'NATS has no stream of events.'},
  STREAM_BEHIND: {repair: 'supervisor', meaning: 'The stream lacks the latest events of a journal.'},
  STREAM_DISORDERED: {
    repair: 'supervisor',
    meaning: 'The stream has events of a container doubled, out of order, with a gap, or other than its journal.',
  },
  STREAM_ORPHAN: {repair: 'none', meaning: 'The stream has a container of this node that is not there, and has no deletion of it.'},
} as const satisfies Readonly<Record<string, {readonly repair: RepairKind; readonly meaning: string}>>
export type FindingCode = keyof typeof findingTable

/** What is to be done, as data. The handler checks again that it still may be done. */
export type Repair =
  | ({readonly type: 'delete-from-runtime'} & ContainerName)
  | ({readonly type: 'remove-state-dir'} & ContainerName)
  | ({readonly type: 'remove-run-dir'} & ContainerName)
  | ({readonly type: 'remove-cgroup'; readonly path: string} & ContainerName)
  | ({readonly type: 'republish'} & ContainerName)

export interface Finding {
  readonly code: FindingCode
  /** `<ns>/<id>`; undefined for a finding that is not about a container. */
  readonly container: string | undefined
  /** The file, mount, group or process that it is about. */
  readonly subject: string
  /** What is wrong, and what to do. */
  readonly message: string
  readonly repair: Repair | undefined
}

export function toFinding(code: FindingCode, name: ContainerName | undefined, rest: Omit<Finding, 'code' | 'container'>): Finding {
  return {code, container: name && `${name.namespace}/${name.id}`, ...rest}
}

/** Equal for two findings that are about the same thing. */
export function toFindingKey({code, container = '', subject}: Finding): string {
  return `${code} ${container} ${subject}`
}
