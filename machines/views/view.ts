/** What people and programs are shown of a container and of a node: the replies of commands. */
import * as z from 'zod'
import {confinementSchema, nodeConfinementSchema} from '../schemas/confinement.ts'
import {rootfsMountSchema, runtimeOptionsSchema} from '../schemas/create-request.ts'
import {failureSchema} from '../ledger/events.ts'
import {healthStatuses} from '../schemas/health.ts'
import {limitsSchema} from '../schemas/limits.ts'
import {processExitSchema, signalNameSchema} from '../ledger/process-exit.ts'
import {restartPolicySchema} from '../schemas/restart-policy.ts'
import {streamNameSchema} from '../schemas/streams.ts'
import {topLevelStates} from '../charts/states.ts'

/** A process that was added by `exec`. */
export const processViewSchema = z.object({
  exec: z.string(),
  state: z.string(),
  /** On the host; absent unless it lives. */
  pid: z.int().optional(),
  args: z.array(z.string()),
  /** Its 0, 1 and 2 are a pseudo-terminal. */
  terminal: z.boolean().optional(),
  /** It takes input. */
  stdin: z.boolean().optional(),
  addedAt: z.string(),
  startedAt: z.string().optional(),
  exit: processExitSchema.optional(),
  exitedAt: z.string().optional(),
  /** Why the last of what was asked of it failed; absent when that was done. */
  error: failureSchema.optional(),
})
export type ProcessView = z.infer<typeof processViewSchema>

export const containerViewSchema = z.object({
  node: z.string(),
  namespace: z.string(),
  id: z.string(),
  /** Tells a reused id from the container that had it before. */
  uid: z.string(),
  state: z.enum(topLevelStates),
  /** When that state was entered. */
  since: z.string(),
  /** An effect is under way: which, and since when. Commands wait for its outcome. */
  inFlight: z.object({state: z.string(), since: z.string()}).optional(),
  /** A stop under way: SIGKILL follows at `dueAt`. */
  stop: z.object({signal: signalNameSchema, dueAt: z.string()}).optional(),
  /** Of init, on the host; absent unless it lives. */
  pid: z.int().optional(),
  /** Absent when the supervisor is not known to the one that answers. */
  supervisorPid: z.int().optional(),
  args: z.array(z.string()),
  rootfs: z.string().optional(),
  rootfsMounts: z.array(rootfsMountSchema).optional(),
  /** Where the changes of the overlay over `rootfs` are; absent when there is none. */
  overlay: z.enum(['disk', 'memory']).optional(),
  /** What stands between it and the host; absent before it is made. */
  confinement: confinementSchema.optional(),
  bundle: z.string().optional(),
  /** How the OCI runtime is called for it, where that is not the node's way. */
  runtime: runtimeOptionsSchema.optional(),
  /** Its supervisors died too often: nobody looks after it until the node is started again. */
  unsupervised: z.boolean().optional(),
  autoRemove: z.boolean(),
  /** Its restart policy, and how many restarts in a row did not last. */
  restart: z.object({...restartPolicySchema.shape, attempt: z.int().positive().optional()}).optional(),
  /** How often it was made again. */
  restarts: z.int().positive().optional(),
  /** When it is to be made again. */
  restartDueAt: z.string().optional(),
  /** What its check has found; absent unless it runs and has one. */
  health: z
    .object({
      status: z.enum(['starting', ...healthStatuses]),
      /** How many have failed in a row, when that was told last. */
      failures: z.int().optional(),
      output: z.string().optional(),
    })
    .optional(),
  /** Its 0, 1 and 2 are a pseudo-terminal. */
  terminal: z.boolean().optional(),
  /** It takes input. */
  stdin: z.boolean().optional(),
  /** Those that were added and not deleted, in that order; absent when there is none. */
  execs: z.array(processViewSchema).optional(),
  /** The first of them that did not fit into the message; `state` with `execsFrom` shows it. */
  nextExec: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** The last that was taken of it. */
  checkpoint: z.object({image: z.string(), leaveRunning: z.boolean(), time: z.string()}).optional(),
  /** Where the checkpoint is with which it begins. */
  restoredFrom: z.string().optional(),
  /** Those that were asked for; `null` is one that was lifted. */
  limits: limitsSchema.optional(),
  requestedAt: z.string(),
  createdAt: z.string().optional(),
  startedAt: z.string().optional(),
  /** Since when it is frozen; absent unless it is. */
  pausedAt: z.string().optional(),
  /** How many of its processes were killed for want of memory; absent when none was. */
  oomKills: z.int().positive().optional(),
  exit: processExitSchema.optional(),
  exitedAt: z.string().optional(),
  /** Init was one of those. */
  oomKilled: z.boolean().optional(),
  /** Why the last of what was asked of it failed; absent when that was done. */
  error: failureSchema.optional(),
  /** How many events the ledger has: the sequence of the latest. */
  eventCount: z.int(),
})
export type ContainerView = z.infer<typeof containerViewSchema>

/** Reply of a node's `list` command. */
export const listReplySchema = z.object({
  containers: z.array(containerViewSchema),
  /** There are more, behind this one. */
  next: z.string().optional(),
})
export type ListReply = z.infer<typeof listReplySchema>

export const nodeInfoSchema = z.object({
  node: z.string(),
  version: z.string(),
  coordinatorPid: z.int(),
  /** Of the embedded nats-server; null when yours is used. */
  natsPid: z.int().nullable(),
  natsUrl: z.string(),
  /** Of the NATS server that the coordinator is connected to; absent while it is not. */
  natsVersion: z.string().optional(),
  stateDir: z.string(),
  runDir: z.string(),
  runtime: z.object({name: z.string(), version: z.string(), path: z.string()}).optional(),
  /** Absent from a node of an older release. */
  confinement: nodeConfinementSchema.optional(),
  nodeVersion: z.string(),
  /** By state, as `list` with `all` would show them. */
  containers: z.record(z.string(), z.int()),
  startedAt: z.string(),
  /** What could not be put right of the state in which the node was started, a sentence each. */
  warnings: z.array(z.string()).optional(),
  /** What keeps it from doing anything that needs JetStream; absent while nothing does. The containers are then as they were before. */
  trouble: z.string().optional(),
  /** Where its page is; absent when it serves none. */
  httpUrl: z.string().optional(),
})
export type NodeInfo = z.infer<typeof nodeInfoSchema>

/** Reply of a node's `ui` command. */
export const uiReplySchema = z.object({
  /** With a token, which the first login uses up. */
  url: z.string(),
  /** The token is good until then. */
  expiresAt: z.string(),
})
export type UiReply = z.infer<typeof uiReplySchema>

/** Reply of a container's `output` command. */
export const outputReplySchema = z.object({
  /** Of the data: beyond the one that was asked for, when that has been dropped with an old file of the log. */
  offset: z.int(),
  data: z.base64(),
  /** Bytes of the stream so far. */
  total: z.int(),
  /** Nothing will be added any more. */
  ended: z.boolean(),
})
export type OutputReply = z.infer<typeof outputReplySchema>

/** Reply of a container's `log` command. */
export const logReplySchema = z.object({
  /** Of the first entry: beyond the one that was asked for, when that has been dropped with an old file of the log. */
  position: z.int(),
  entries: z.array(
    z.object({
      /** RFC 3339, as the log has it. */
      time: z.string(),
      stream: streamNameSchema,
      /** The very bytes; without a newline at the end it is a part of a longer line. */
      data: z.base64(),
      /** Position behind it. Absent from a supervisor that was started by an older release. */
      next: z.int().optional(),
    }),
  ),
  /** Position to go on from. */
  next: z.int(),
  /** Where the log ended when it was asked for: who wants only what was there then has it when `next` is there. */
  end: z.int(),
  /** Nothing will be added any more, and this was all. */
  ended: z.boolean(),
})
export type LogReply = z.infer<typeof logReplySchema>
