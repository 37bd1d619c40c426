/** The commands of containers and nodes, with their schemas. A command may be rejected. Its name is the last token of its subject. */
import * as z from 'zod'
import {type CheckpointSpec, checkpointSpecSchema, restoreSpecSchema} from '../schemas/checkpoint.ts'
import type {createRequestSchema} from '../schemas/create-request.ts'
import {type ConsoleSize, consoleSizeSchema, durationMs} from '../schemas/fields.ts'
import {type ExecSpec, execSpecSchema} from '../schemas/exec-spec.ts'
import {newRequestSchema} from './new-request.ts'
import {idPattern, idSchema} from '../ledger/ids.ts'
import {limitFields, type Limits} from '../schemas/limits.ts'
import {parseSignal, type SignalName, signalNameSchema} from '../schemas/signals.ts'
import {streamNameSchema} from '../schemas/streams.ts'

/** `"SIGTERM"`, `"term"`, `"15"` or `15`. */
const signalInput = z
  .union([z.string(), z.int().transform(String)])
  .refine((text) => parseSignal(text) !== undefined, {
    error: (issue) => `expected a signal name or number, got ${JSON.stringify(issue.input)}`,
  })
  .transform((text) => parseSignal(text))
  .pipe(signalNameSchema)

/** The container's own process, where a subject contains the id of a process. */
export const initId = 'init'

/** The id of a process that was added by `exec`; absent for init. */
const exec = idSchema.refine((id) => id !== initId, `expected an id other than ${initId}, which is the container's own process`).optional()

/** The longest lease, in milliseconds, that a reader of output can take at once. */
export const longestHoldMs = 60_000
/**
 * A lease on output: a container or process with `autoRemove` is not removed while a reader has one. A new lease replaces the one before;
 * 0 ends it.
 */
const holdMs = z.int().min(0).max(longestHoldMs).optional()

/** The longest time, in milliseconds, for which a subscriber can ask at once that something is published. */
export const longestWatchMs = 60_000
/** For how long it is published, from now on. If several callers watch, the longest counts; a caller that stays repeats it. */
const watchMs = z.int().min(0).max(longestWatchMs).default(0)
/**
 * A name that a reader of output has chosen. While it watches, a container or process with `autoRemove` is not removed. Its `watchMs` replaces
 * that of its request before, and 0 ends it.
 */
const reader = idSchema.optional()

/** The most bytes in one reply: encoded as base64 they fit into a message of 1 MiB, the default limit of NATS servers. */
const limitBytes = z
  .int()
  .positive()
  .max(512 * 1024)
  .default(256 * 1024)

/** Answered by a container's supervisor, on `tally.cmd.<node>.<ns>.<id>.<verb>`. */
export const containerCommandSchemas = {
  /** Execute the program of the container, or that of an added process. Replies when it has been executed. */
  start: z.strictObject({exec}),
  /** Add a process, and start it unless `start` is false. Replies when its program has been executed. */
  exec: z.strictObject({
    exec,
    ...execSpecSchema.shape,
    start: z.boolean().default(true),
    holdMs,
  }),
  /**
   * Send a signal to init or to an added process; with `all` to every process of the container, or of the added process's group.
   * Replies when it has been sent.
   */
  kill: z.strictObject({exec, signal: signalInput.default('SIGKILL'), all: z.boolean().default(false)}),
  /** Set the size of the terminal, in characters. */
  resize: z.strictObject({exec, ...consoleSizeSchema.shape}),
  /** Close the input: the process reads end of file after the data that was sent before. Replies at once if the input is closed. */
  'close-stdin': z.strictObject({exec}),
  /** Send `signal`, then SIGKILL after `graceMs`. Replies when the container has stopped; at once if it is stopped already. */
  stop: z.strictObject({
    signal: signalInput.default('SIGTERM'),
    graceMs: durationMs.default(10_000),
  }),
  /** Freeze every process of the container. Replies when they are frozen. */
  pause: z.strictObject({}),
  /** Let the processes run again. */
  resume: z.strictObject({}),
  /** Write the processes to a directory of the node, from which `restore` makes a container. Replies when they are written. */
  checkpoint: checkpointSpecSchema,
  /** Change limits; `null` removes a limit. Replies when the limits are in force. */
  update: z.strictObject(limitFields),
  /** Remove the container and everything that was made for it; `force` kills it first. An added process must have ended. Replies when it is gone. */
  delete: z.strictObject({exec, force: z.boolean().default(false)}),
  /** Show the container, or an added process. */
  state: z.strictObject({
    exec,
    /** Show only this added process and later ones: `nextExec` of the previous reply. */
    execsFrom: idSchema.optional(),
  }),
  /** Replies when the container has stopped, or the added process has ended; at once if that is so already. */
  wait: z.strictObject({
    exec,
    /** The longest time to wait. Then the reply is TIMED_OUT, and the caller can retry. */
    waitMs: z.int().positive().max(86_400_000).optional(),
  }),
  /**
   * Read output from `offset` (bytes of that stream since create), at most `limitBytes`. A reader that needs all of the output takes a
   * lease (`holdMs`). With `holdFrom`, the offsets up to which it has read, the log of an added process also keeps what it has not read.
   * With `watchMs`, what comes after `total` of the reply is published: both streams of the process.
   */
  output: z.strictObject({
    exec,
    stream: streamNameSchema,
    offset: z.int().nonnegative().default(0),
    holdMs,
    holdFrom: z.strictObject({stdout: z.int().nonnegative(), stderr: z.int().nonnegative()}).optional(),
    watchMs,
    reader,
    limitBytes,
  }),
  /**
   * Read the log from a file position, or its last `tail` lines: whole entries, about `limitBytes`, at least one entry. With `watchMs`,
   * what comes after `end` of the reply is published.
   */
  log: z.strictObject({
    exec,
    position: z.int().nonnegative().optional(),
    tail: z.int().nonnegative().optional(),
    watchMs,
    reader,
    limitBytes,
  }),
  /** Show resource usage. With `watchMs`, a sample is also published every second. */
  stats: z.strictObject({watchMs}),
  /** List the processes of the container, as the host sees them. */
  top: z.strictObject({
    /** The maximum number of processes; never more than fit into a message. */
    limit: z.int().positive().optional(),
    /** Continue after this pid on the host: `next` of the previous reply. */
    after: z.int().positive().optional(),
  }),
  /** Compare the stream with the journal, and publish again what is missing or wrong. Replies when the stream is correct. */
  republish: z.strictObject({}),
  /**
   * Have the next supervisor take this one's place as soon as nothing is in flight: its shim starts it. Replies before that. The container is
   * not touched.
   */
  relieve: z.strictObject({
    /** Not if the supervisor runs this program already: the path of its bundle. */
    unless: z.string().optional(),
  }),
} as const
export type ContainerVerb = keyof typeof containerCommandSchemas
/** A parsed request. */
export type ContainerRequest<V extends ContainerVerb> = z.output<(typeof containerCommandSchemas)[V]>
export const containerVerbs = Object.keys(containerCommandSchemas) as readonly ContainerVerb[]

const idSource = idPattern.source.slice(1, -1)
const containerName = z.string().regex(new RegExp(`^${idSource}/${idSource}$`), {
  error: (issue) => `expected <ns>/<id>, got ${JSON.stringify(issue.input)}`,
})

/** Answered by a node's coordinator, on `tally.cmd.<node>.<verb>`. */
export const nodeCommandSchemas = {
  /** Create a container, ready to start. Replies when it is created. */
  create: newRequestSchema,
  /**
   * Create a container from a checkpoint, ready to start, with the create request of the container that the checkpoint was taken of.
   * Id, namespace and `autoRemove` are not inherited. Replies when the container is created.
   */
  restore: z.strictObject({
    ...restoreSpecSchema.shape,
    id: idSchema.optional(),
    namespace: idSchema.default('default'),
    autoRemove: z.boolean().default(false),
  }),
  /** List the containers of the node; stopped containers only with `all`. */
  list: z.strictObject({
    all: z.boolean().default(false),
    namespace: idSchema.optional(),
    /** The maximum number of containers, in the order of their names; never more than fit into a message. */
    limit: z.int().positive().optional(),
    /** Continue after this container: `next` of the previous reply. */
    after: containerName.optional(),
  }),
  /** Show versions, processes and directories of the node. */
  info: z.strictObject({}),
  /** Return an address of the node's page that is valid for one login. */
  ui: z.strictObject({}),
  /** Sent by supervisors up to 0.4 before they add a process. Does nothing: the shim has the pipes. */
  hold: z.strictObject({namespace: idSchema, id: idSchema, exec: idSchema}),
  /**
   * Sent by a supervisor that has nothing to do: from the reply on the coordinator receives the commands of its container. It ends only if
   * `standsIn` is true.
   */
  sleep: z.strictObject({
    namespace: idSchema,
    id: idSchema,
    /** For how long samples of its resource usage are still to be published. */
    watchStatsMs: z.int().min(0).max(60_000).default(0),
  }),
  /** Sent by a supervisor that listens: the coordinator hands on what has come in the meantime. */
  awake: z.strictObject({namespace: idSchema, id: idSchema}),
  /** Move one container to the program that the coordinator runs: its shim, and its supervisor. Replies when that has come up. */
  upgrade: z.strictObject({namespace: idSchema, id: idSchema}),
  /** End the coordinator, and nothing else: its shim starts it again at once. */
  restart: z.strictObject({}),
  /** End the coordinator and the embedded nats-server; with `containers` kill and delete all containers first. */
  shutdown: z.strictObject({containers: z.boolean().default(false)}),
} as const
export type NodeVerb = keyof typeof nodeCommandSchemas
export const nodeVerbs = Object.keys(nodeCommandSchemas) as readonly NodeVerb[]

/** A parsed command that changes a container. */
export type Command =
  | {readonly type: 'create'; readonly request: z.infer<typeof createRequestSchema>}
  | {readonly type: 'start'}
  | {readonly type: 'kill'; readonly signal: SignalName; readonly all?: boolean}
  | {readonly type: 'stop'; readonly signal: SignalName; readonly graceMs: number}
  | {readonly type: 'pause'}
  | {readonly type: 'resume'}
  | {readonly type: 'checkpoint'; readonly checkpoint: CheckpointSpec}
  | {readonly type: 'update'; readonly limits: Limits}
  | {readonly type: 'delete'; readonly force: boolean; readonly reason?: string}
  | {readonly type: 'close-stdin'}
  | ({readonly type: 'resize'} & ConsoleSize)
  | ExecCommand

/** A parsed command for an added process. */
export type ExecCommand =
  | {readonly type: 'exec'; readonly exec: string; readonly spec: ExecSpec}
  | {readonly type: 'exec-start'; readonly exec: string}
  | {readonly type: 'exec-kill'; readonly exec: string; readonly signal: SignalName; readonly all?: boolean}
  | {readonly type: 'exec-delete'; readonly exec: string; readonly reason?: string}
  | {readonly type: 'exec-close-stdin'; readonly exec: string}
  | ({readonly type: 'exec-resize'; readonly exec: string} & ConsoleSize)
export type CommandType = Command['type']
