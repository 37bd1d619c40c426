/** What the client can do: of a node, of a container, of a process in it. */
import type {NatsConnection} from 'nats'
import type * as z from 'zod'
import type {checkpointSpecSchema} from '../../machines/schemas/checkpoint.ts'
import type {containerCommandSchemas, nodeCommandSchemas} from '../../machines/commands/commands.ts'
import type {CreateRequestInput} from '../../machines/schemas/create-request.ts'
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import type {ContainerAddress} from '../../machines/ledger/ids.ts'
import type {Limits} from '../../machines/schemas/limits.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import type {StreamName} from '../../machines/schemas/streams.ts'
import type {TopReply} from '../../machines/views/top.ts'
import type {RepublishReply} from '../../machines/views/republish.ts'
import type {UpgradeReply} from '../../machines/views/upgrade.ts'
import type {StatsReply} from '../../machines/views/stats.ts'
import type {ContainerView, LogReply, NodeInfo, OutputReply, ProcessView, UiReply} from '../../machines/views/view.ts'
import type {EventReader, EventReaderOptions} from '../messaging/event-reader.ts'
import type {ReadOptions} from '../messaging/read-events.ts'
import type {StreamedEvent} from '../messaging/stream.ts'
import type {Subjects} from '../messaging/subjects.ts'
import type {ConnectionWish} from './find-connection.ts'

/** As sent: defaults may be absent. */
export type ExecRequestInput = z.input<typeof containerCommandSchemas.exec>

export type CheckpointInput = z.input<typeof checkpointSpecSchema>
export type RestoreInput = z.input<typeof nodeCommandSchemas.restore>

/** `runDir`: where the node has its connection file; default `/run/tally`. Not needed when `nats` and `node` are given. */
export interface ClientOptions extends ConnectionWish {
  /** Who sends the requests: it becomes part of the ledger. */
  readonly actor?: string
  /** False: a request fails when the connection is lost, instead of waiting until it is back. */
  readonly returns?: boolean
  /** Whether a coordinator that has died is waited for when it is about to be started again; by default, when `returns` is not false. */
  readonly awaitsCoordinator?: boolean
  /** For how long a server may take to answer when the client connects; default 20 s, or 5 s when there are other servers. */
  readonly patienceMs?: number
  /** The connection was lost; the client tries to connect again. */
  readonly onLost?: () => void
  readonly onBack?: () => void
}

export interface TallyClient extends AsyncDisposable {
  readonly node: string
  /** The present one: another after it was lost, unless `returns` is false. */
  readonly connection: NatsConnection
  readonly subjects: Subjects
  /** Resolves when there is a connection, at once if it is not lost. @throws TallyError NATS_UNREACHABLE if it is lost and `returns` is false */
  back(): Promise<void>
  create(request: CreateRequestInput): Promise<ContainerView>
  /** A container from a checkpoint, ready to start. */
  restore(request: RestoreInput): Promise<ContainerView>
  list(options?: {readonly all?: boolean; readonly namespace?: string}): Promise<readonly ContainerView[]>
  info(): Promise<NodeInfo>
  /** An address of the node's page that is good for one login. */
  ui(): Promise<UiReply>
  /** Moves the shim and the supervisor of a container to the program that the coordinator runs. */
  upgrade(id: string, namespace?: string): Promise<UpgradeReply>
  /** Ends the coordinator, which is started again at once; nothing else ends. @throws TallyError UNSUPPORTED when it has no shim */
  restart(): Promise<void>
  shutdown(options?: {readonly containers?: boolean}): Promise<void>
  container(id: string, namespace?: string): ContainerClient
  /** Events in the order of the stream; following, it goes on until the connection ends. */
  events(options: ReadOptions): AsyncGenerator<StreamedEvent>
  /** The same over several connections, and over a stream that is deleted, purged or rolled back meanwhile: each event once. */
  reader(options: EventReaderOptions): EventReader
}

export interface WatchOptions {
  readonly watchMs?: number
  /** A name: a process that removes itself waits for this reader until its `watchMs` are over, or it says 0. */
  readonly reader?: string
}

export interface OutputOptions extends WatchOptions {
  readonly holdMs?: number
  readonly holdFrom?: Readonly<Record<StreamName, number>>
  readonly limitBytes?: number
}

/** A process of a container: its init, or one that was added. */
export interface ProcessClient {
  readonly address: ContainerAddress
  /** The id of an added process; undefined for init. */
  readonly exec: string | undefined
  kill(signal?: string | number): Promise<unknown>
  /** Of its terminal, in characters. */
  resize(size: ConsoleSize): Promise<unknown>
  /** An end of file, after what was sent before. */
  closeStdin(): Promise<unknown>
  /** Resolves when it has ended, however long that takes. */
  wait(): Promise<{readonly exit?: ProcessExit | undefined}>
  /**
   * @param options `holdMs`: the lease of the reader, for which a process that removes itself waits; 0 ends it. `holdFrom`: from where the
   *   reader still lacks output, for which an added process waits. `watchMs`: for how long both streams are published from `total` on
   */
  output(stream: StreamName, offset: number, options?: OutputOptions): Promise<OutputReply>
  /**
   * Entries of its log from a file position, or the last `tail` lines of it.
   * @param options `watchMs`: for how long output is published that comes after `end`
   */
  log(from: {readonly position: number} | {readonly tail: number}, options?: WatchOptions): Promise<LogReply>
}

/** A process that was added. Each method rejects with EXEC_NOT_FOUND when it has been deleted. */
export interface ExecClient extends ProcessClient {
  readonly exec: string
  start(): Promise<ProcessView>
  /** @param options `all`: its whole process group */
  kill(signal?: string | number, options?: {readonly all?: boolean}): Promise<ProcessView>
  state(): Promise<ProcessView>
  wait(): Promise<ProcessView>
  /** Once it has ended, or before it is started. */
  delete(): Promise<ContainerView>
}

/**
 * Each method rejects with CONTAINER_NOT_FOUND, at once, when the node has no such container. If its supervisor has just died, the client
 * waits until another has taken over; SUPERVISOR_FAILED when that takes too long.
 */
export interface ContainerClient extends ProcessClient {
  /** Adds a process, and starts it unless `start` is false. */
  addProcess(request: ExecRequestInput): Promise<ProcessView>
  /** One that was added. */
  process(exec: string): ExecClient
  start(): Promise<ContainerView>
  /** @param options `all`: every process of the container, not init alone */
  kill(signal?: string | number, options?: {readonly all?: boolean}): Promise<ContainerView>
  /** Freezes every process; a stop, a SIGKILL or a forced delete resumes them. */
  pause(): Promise<ContainerView>
  resume(): Promise<ContainerView>
  /** Writes its processes to a directory of the node; they end with that, unless they are left running. */
  checkpoint(checkpoint: CheckpointInput): Promise<ContainerView>
  /** Changes limits; `null` lifts one. */
  update(limits: Limits): Promise<ContainerView>
  stop(options?: {readonly signal?: string; readonly graceMs?: number}): Promise<ContainerView>
  delete(options?: {readonly force?: boolean}): Promise<ContainerView>
  state(): Promise<ContainerView>
  /** Resolves when init has exited, however long that takes. */
  wait(): Promise<ContainerView>
  /** What it uses. @param options `watchMs`: for how long a sample a second is to be published; see `followStats` */
  stats(options?: {readonly watchMs?: number}): Promise<StatsReply>
  /** Its processes, as the host sees them. */
  top(): Promise<TopReply>
  /** Has its supervisor compare the stream with the journal, and correct the stream. */
  republish(): Promise<RepublishReply>
}
