/** What there is on a node, collected from all sources. Data, from which `detect.ts` draws its conclusions. */
import type {ContainerName} from '../layout/container-name.ts'
import type {ProcessIdentity} from '../../machines/ledger/events.ts'
import type {RuntimeOptions} from '../../machines/schemas/create-request.ts'
import type {TopLevelState} from '../../machines/charts/states.ts'

export type JournalReading =
  | {readonly type: 'missing'}
  | {readonly type: 'damaged'; readonly line: number; readonly why: string}
  | ({readonly type: 'whole'} & WholeJournal)

export interface WholeJournal {
  readonly uid: string
  readonly source: string
  readonly latestSequence: number
  /** Bytes after the last whole line. */
  readonly tornBytes: number
  readonly state: TopLevelState
  readonly init: ProcessIdentity | undefined
  readonly hasEnded: boolean
  /** Its shim starts no supervisor any more. */
  readonly isGivenUp: boolean
  readonly terminal: boolean
  /** How the OCI runtime is called for it, where that differs from the node's default. */
  readonly runtime: RuntimeOptions | undefined
}

/** A state directory, and what else was found of its container. */
export interface SurveyedContainer extends ContainerName {
  /** Path of the journal. */
  readonly file: string
  readonly journal: JournalReading
  /** The process that has the lock of the journal. */
  readonly holder: number | undefined
  /** The process that has the lock of the run directory: the shim, which starts a supervisor when there is something to do. */
  readonly shim: number | undefined
  /** Since the last change of its directory. */
  readonly ageMs: number
  readonly isInitAlive: boolean
  /** Undefined when the runtime has no such container; `unasked` when it could not be asked. */
  readonly runtimeStatus: string | undefined
  readonly hasFifos: boolean
  /** Undefined when it could not be compared. */
  readonly streamed: StreamedPart | undefined
}

/** What the stream has of a container, compared with its journal. */
export interface StreamedPart {
  /** Up to this sequence the stream agrees with the journal. */
  readonly kept: number
  /** Sequences of the events that the stream has after that. */
  readonly wrong: readonly number[]
}

/** A container that this node has or had, from the stream. */
export interface StreamedLife extends ContainerName {
  readonly uid: string
  readonly isDeleted: boolean
}

export type StreamSurvey =
  | {readonly type: 'unreachable'; readonly why: string}
  | {readonly type: 'absent'}
  | {readonly type: 'read'; readonly lives: readonly StreamedLife[]}

export interface Survey {
  readonly node: string
  readonly stateDir: string
  readonly isCoordinated: boolean
  readonly containers: readonly SurveyedContainer[]
  /** Containers for which a supervisor of this node runs, whether or not there is a journal. */
  readonly supervised: readonly (ContainerName & {readonly pid: number})[]
  /** What the runtime has, below this node's run directory. */
  readonly runtime: readonly (ContainerName & {readonly path: string})[]
  readonly runDirs: readonly (ContainerName & {readonly path: string})[]
  readonly mounts: readonly (ContainerName & {readonly target: string})[]
  /** Groups with names of containers' groups, of any node. */
  readonly cgroups: readonly {readonly path: string; readonly directories: readonly string[]; readonly processes: readonly number[]}[]
  /** Processes with something open below a container's state or run directory. */
  readonly processes: readonly (ContainerName & {readonly pid: number; readonly file: string; readonly title: string})[]
  readonly stream: StreamSurvey
}

/** The name in a record that has more. */
export function toName({namespace, id}: ContainerName): ContainerName {
  return {namespace, id}
}

export function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}
