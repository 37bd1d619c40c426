/** Wishes, imperative; each may be rejected. The names are the last token of the subject that carries them. */
import * as z from 'zod'
import {type CheckpointSpec, checkpointSpecSchema, restoreSpecSchema} from '../schemas/checkpoint.ts'
import type {createRequestSchema} from '../schemas/create-request.ts'
import {type ConsoleSize, consoleSizeSchema} from '../schemas/fields.ts'
import {type ExecSpec, execSpecSchema} from '../schemas/exec-spec.ts'
import {newRequestSchema} from './new-request.ts'
import {idSchema} from '../ledger/ids.ts'
import {limitFields, type Limits} from '../schemas/limits.ts'
import {isSignalName, parseSignal, type SignalName} from '../schemas/signals.ts'
import {streamNameSchema} from '../schemas/streams.ts'

/** `"SIGTERM"`, `"term"`, `"15"` or `15`. */
const signalInput = z
  .union([z.string(), z.int().transform(String)])
  .refine((text) => parseSignal(text) !== undefined, {
    error: (issue) => `expected a signal name or number, got ${JSON.stringify(issue.input)}`,
  })
  .transform((text) => parseSignal(text))
  .pipe(z.custom<SignalName>((value) => typeof value === 'string' && isSignalName(value)))

/** Stands for the container's own process where subjects name one. */
export const initId = 'init'

/** The id of a process that was added by `exec`; init when absent. */
const exec = idSchema.refine((id) => id !== initId, `expected an id other than ${initId}, which is the container's own process`).optional()

/** For so long, in milliseconds, a reader can hold at once what removes itself. */
export const longestHoldMs = 60_000

/** Answered by a container's supervisor, on `tally.cmd.<node>.<ns>.<id>.<verb>`. */
export const containerCommandSchemas = {
  /** Execute the user's program, or that of an added process. Answers when it has been executed. */
  start: z.strictObject({exec}),
  /** Add a process, and start it unless told not to. Answers when its program has been executed. */
  exec: z.strictObject({
    exec,
    ...execSpecSchema.shape,
    start: z.boolean().default(true),
    /** As for `output`: for how long it is kept for whoever reads its output, though it removes itself. */
    holdMs: z.int().min(0).max(longestHoldMs).optional(),
  }),
  /**
   * Send a signal to init or to an added process; with `all` to every process of the container, or of the added one's process group.
   * Answers when it has been sent.
   */
  kill: z.strictObject({exec, signal: signalInput.default('SIGKILL'), all: z.boolean().default(false)}),
  /** Set the size of the terminal, in characters. */
  resize: z.strictObject({exec, ...consoleSizeSchema.shape}),
  /** Close the input: an end of file follows what was sent before. Answers at once if it was closed before. */
  'close-stdin': z.strictObject({exec}),
  /** `signal`, then SIGKILL after `graceMs`. Answers when the container has stopped; at once if it had before. */
  stop: z.strictObject({
    signal: signalInput.default('SIGTERM'),
    graceMs: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .default(10_000),
  }),
  /** Freeze every process of the container. Answers when they are frozen. */
  pause: z.strictObject({}),
  /** Let them run again. */
  resume: z.strictObject({}),
  /** Write its processes to a directory of the node, to be started from there again. Answers when they are there. */
  checkpoint: checkpointSpecSchema,
  /** Change limits; `null` lifts one. Answers when the kernel has them. */
  update: z.strictObject(limitFields),
  /** Remove the container and everything that was made for it; `force` kills it first. Answers when it is gone. An added process has to have ended. */
  delete: z.strictObject({exec, force: z.boolean().default(false)}),
  /** The container as it is, or an added process. */
  state: z.strictObject({
    exec,
    /** Of the added processes only this one and those that were added after it: `nextExec` of a reply. */
    execsFrom: idSchema.optional(),
  }),
  /** Answers when the container has stopped, or the added process has; at once if it had before. */
  wait: z.strictObject({
    exec,
    /** So long, at most: then it is TIMED_OUT, and can be asked again. */
    waitMs: z.int().positive().max(86_400_000).optional(),
  }),
  /**
   * Output from `offset` (bytes of that stream since create), at most `limitBytes` of it. Whoever cannot do without the rest
   * says for how long a container that removes itself has to wait for him; a `holdMs` replaces the one before, 0 lets go. An added
   * process waits as well, before what he has not got yet (`holdFrom`, offsets) is dropped from its log.
   */
  output: z.strictObject({
    exec,
    stream: streamNameSchema,
    offset: z.int().nonnegative().default(0),
    holdMs: z.int().min(0).max(longestHoldMs).optional(),
    holdFrom: z.strictObject({stdout: z.int().nonnegative(), stderr: z.int().nonnegative()}).optional(),
    limitBytes: z
      .int()
      .positive()
      .max(512 * 1024)
      .default(256 * 1024),
  }),
  /** Entries of the log from a file position, or its last `tail` lines; whole entries, about `limitBytes` and at least one. */
  log: z.strictObject({
    exec,
    position: z.int().nonnegative().optional(),
    tail: z.int().nonnegative().optional(),
    limitBytes: z
      .int()
      .positive()
      .max(512 * 1024)
      .default(256 * 1024),
  }),
  /**
   * What it uses. Whoever wants to go on hearing of it says for how long: a sample a second is published meanwhile. A `watchMs`
   * of several goes by the longest.
   */
  stats: z.strictObject({watchMs: z.int().min(0).max(60_000).default(0)}),
  /** Its processes, as the host sees them. */
  top: z.strictObject({
    /** At most so many, and no more than fit into a message. */
    limit: z.int().positive().optional(),
    /** Only those behind this one, by its pid on the host: `next` of a reply. */
    after: z.int().positive().optional(),
  }),
  /** Compare the stream with the journal, and publish again what is not in it as it should be. Answers when it is. */
  republish: z.strictObject({}),
} as const
export type ContainerVerb = keyof typeof containerCommandSchemas
export const containerVerbs = Object.keys(containerCommandSchemas) as readonly ContainerVerb[]

/** `<ns>/<id>` */
const containerName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\/[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, {
  error: (issue) => `expected <ns>/<id>, got ${JSON.stringify(issue.input)}`,
})

/** Answered by a node's coordinator, on `tally.cmd.<node>.<verb>`. */
export const nodeCommandSchemas = {
  /** Make a container, ready to start. Answers when it is made. */
  create: newRequestSchema,
  /**
   * Make a container from a checkpoint, as the one was made from which it was taken, ready to start. Answers when it is made. Another id
   * and another namespace have to be named; it is not removed by itself unless asked for.
   */
  restore: z.strictObject({
    ...restoreSpecSchema.shape,
    id: idSchema.optional(),
    namespace: idSchema.default('default'),
    autoRemove: z.boolean().default(false),
  }),
  /** All containers of the node; those that have stopped only with `all`. */
  list: z.strictObject({
    all: z.boolean().default(false),
    namespace: idSchema.optional(),
    /** At most so many, in the order of their names, and no more than fit into a message. */
    limit: z.int().positive().optional(),
    /** Only those behind this one: `next` of a reply. */
    after: containerName.optional(),
  }),
  /** Versions, processes, directories. */
  info: z.strictObject({}),
  /** An address of the node's page that is good for one login. */
  ui: z.strictObject({}),
  /** For supervisors: hold open the pipes of a process that is about to be added, which would be gone with them. Answers when it is done. */
  hold: z.strictObject({namespace: idSchema, id: idSchema, exec: idSchema}),
  /** End the coordinator, and the embedded nats-server; with `containers` kill and delete all containers before. */
  shutdown: z.strictObject({containers: z.boolean().default(false)}),
} as const
export type NodeVerb = keyof typeof nodeCommandSchemas
export const nodeVerbs = Object.keys(nodeCommandSchemas) as readonly NodeVerb[]

/** A command that changes a container, parsed. */
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

/** One that is for an added process, by its id. */
export type ExecCommand =
  | {readonly type: 'exec'; readonly exec: string; readonly spec: ExecSpec}
  | {readonly type: 'exec-start'; readonly exec: string}
  | {readonly type: 'exec-kill'; readonly exec: string; readonly signal: SignalName; readonly all?: boolean}
  | {readonly type: 'exec-delete'; readonly exec: string; readonly reason?: string}
  | {readonly type: 'exec-close-stdin'; readonly exec: string}
  | ({readonly type: 'exec-resize'; readonly exec: string} & ConsoleSize)
export type CommandType = Command['type']
