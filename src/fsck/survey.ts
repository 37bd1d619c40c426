/** What there is on a node, put together from all that tells of it. Data, for the detection to judge. */
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
  /** Bytes behind the last whole line. */
  readonly tornBytes: number
  readonly state: TopLevelState
  readonly init: ProcessIdentity | undefined
  readonly hasEnded: boolean
  readonly terminal: boolean
  /** How the OCI runtime is called for it, where that is not the node's way. */
  readonly runtime: RuntimeOptions | undefined
}

/** A state directory, and what belongs to its container. */
export interface SurveyedContainer extends ContainerName {
  /** Path of the journal. */
  readonly file: string
  readonly journal: JournalReading
  /** Who has the journal locked. */
  readonly holder: number | undefined
  /** Since its directory was changed. */
  readonly ageMs: number
  readonly isInitAlive: boolean
  /** Undefined when the runtime knows none; `unasked` when it could not be asked. */
  readonly runtimeStatus: string | undefined
  readonly hasFifos: boolean
  /** Undefined when it could not be compared. */
  readonly streamed: StreamedPart | undefined
}

/** What the stream has of a container, held against its journal. */
export interface StreamedPart {
  /** Up to here it is right. */
  readonly kept: number
  /** Sequences of what comes after that, as the stream has them. */
  readonly wrong: readonly number[]
}

/** What the stream knows of a life that this node's container had. */
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
  /** Groups that have such names as containers of any node have. */
  readonly cgroups: readonly {readonly path: string; readonly directories: readonly string[]; readonly processes: readonly number[]}[]
  /** Processes with something open below a container's state or run directory. */
  readonly processes: readonly (ContainerName & {readonly pid: number; readonly file: string; readonly title: string})[]
  readonly stream: StreamSurvey
}

/** Of whatever is about a container. */
export function toName({namespace, id}: ContainerName): ContainerName {
  return {namespace, id}
}

export function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}
