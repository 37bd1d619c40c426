/** Wishes, imperative; each may be rejected. The names are the last token of the subject that carries them. */
import * as z from 'zod'
import {createRequestSchema} from './create-request.ts'
import {idSchema} from './ids.ts'
import {limitFields, type Limits} from './limits.ts'
import {isSignalName, parseSignal, type SignalName} from './signals.ts'

/** `"SIGTERM"`, `"term"`, `"15"` or `15`. */
const signalInput = z
  .union([z.string(), z.int().transform(String)])
  .refine((text) => parseSignal(text) !== undefined, {
    error: (issue) => `expected a signal name or number, got ${JSON.stringify(issue.input)}`,
  })
  .transform((text) => parseSignal(text))
  .pipe(z.custom<SignalName>((value) => typeof value === 'string' && isSignalName(value)))

/** Answered by a container's supervisor, on `tally.cmd.<node>.<ns>.<id>.<verb>`. */
export const containerCommandSchemas = {
  /** Execute the user's program. Answers when it has been executed. */
  start: z.strictObject({}),
  /** Send a signal to init, or with `all` to every process of the container. Answers when it has been sent. */
  kill: z.strictObject({signal: signalInput.default('SIGKILL'), all: z.boolean().default(false)}),
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
  /** Change limits; `null` lifts one. Answers when the kernel has them. */
  update: z.strictObject(limitFields),
  /** Remove the container and everything that was made for it; `force` kills it first. Answers when it is gone. */
  delete: z.strictObject({force: z.boolean().default(false)}),
  /** The container as it is. */
  state: z.strictObject({}),
  /** Answers when the container has stopped; at once if it had before. */
  wait: z.strictObject({}),
  /**
   * Output from `offset` (bytes of that stream since create), at most `limitBytes` of it. Whoever cannot do without the rest
   * says for how long a container that removes itself has to wait for him; a `holdMs` replaces the one before, 0 lets go.
   */
  output: z.strictObject({
    stream: z.enum(['stdout', 'stderr']),
    offset: z.int().nonnegative().default(0),
    holdMs: z.int().min(0).max(60_000).optional(),
    limitBytes: z
      .int()
      .positive()
      .max(512 * 1024)
      .default(256 * 1024),
  }),
  /** Entries of the log from a file position, or its last `tail` lines; whole entries, about `limitBytes` and at least one. */
  log: z.strictObject({
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
  top: z.strictObject({}),
} as const
export type ContainerVerb = keyof typeof containerCommandSchemas
export const containerVerbs = Object.keys(containerCommandSchemas) as readonly ContainerVerb[]

/** Answered by a node's coordinator, on `tally.cmd.<node>.<verb>`. */
export const nodeCommandSchemas = {
  /** Make a container, ready to start. Answers when it is made. */
  create: createRequestSchema,
  /** All containers of the node; those that have stopped only with `all`. */
  list: z.strictObject({all: z.boolean().default(false), namespace: idSchema.optional()}),
  /** Versions, processes, directories. */
  info: z.strictObject({}),
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
  | {readonly type: 'update'; readonly limits: Limits}
  | {readonly type: 'delete'; readonly force: boolean; readonly reason?: string}
export type CommandType = Command['type']
