/** Views of containers and nodes: the replies of most commands. */
import * as z from 'zod'
import {confinementSchema, nodeConfinementSchema} from '../schemas/confinement.ts'
import {rootfsMountSchema, runtimeOptionsSchema} from '../schemas/create-request.ts'
import {failureSchema} from '../ledger/events.ts'
import {healthStatuses} from '../schemas/health.ts'
import {limitsSchema} from '../schemas/limits.ts'
import {overlayPlaceSchema} from '../schemas/mounts.ts'
import {processExitSchema} from '../ledger/process-exit.ts'
import {restartPolicySchema} from '../schemas/restart-policy.ts'
import {signalNameSchema} from '../schemas/signals.ts'
import {streamNameSchema} from '../schemas/streams.ts'
import {topLevelStates} from '../charts/states.ts'

/** A process that was added by `exec`. */
export const processViewSchema = z.object({
  exec: z.string(),
  state: z.string(),
  /** The pid on the host; absent unless the process runs. */
  pid: z.int().optional(),
  args: z.array(z.string()),
  /** File descriptors 0, 1 and 2 are a pseudo-terminal. */
  terminal: z.boolean().optional(),
  /** Its input is open. */
  stdin: z.boolean().optional(),
  addedAt: z.string(),
  startedAt: z.string().optional(),
  exit: processExitSchema.optional(),
  exitedAt: z.string().optional(),
  /** Why the last command failed; absent when it succeeded. */
  error: failureSchema.optional(),
})
export type ProcessView = z.infer<typeof processViewSchema>

export const containerViewSchema = z.object({
  node: z.string(),
  namespace: z.string(),
  id: z.string(),
  /** Distinguishes containers that have the same id one after the other. */
  uid: z.string(),
  state: z.enum(topLevelStates),
  /** When the container entered its state. */
  since: z.string(),
  /** The effect in flight, and since when. Commands wait for its outcome. */
  inFlight: z.object({state: z.string(), since: z.string()}).optional(),
  /** The stop in progress: SIGKILL is sent at `dueAt`. */
  stop: z.object({signal: signalNameSchema, dueAt: z.string()}).optional(),
  /** The pid of init on the host; absent unless init runs. */
  pid: z.int().optional(),
  /** Absent when the responder does not know the supervisor. */
  supervisorPid: z.int().optional(),
  /** No supervisor is there, and the coordinator stands in: the next command that changes something wakes one. */
  sleeping: z.boolean().optional(),
  args: z.array(z.string()),
  rootfs: z.string().optional(),
  rootfsMounts: z.array(rootfsMountSchema).optional(),
  /** Where the overlay over `rootfs` is; absent when there is none. */
  overlay: overlayPlaceSchema.optional(),
  /** How the container is isolated from the host; absent before it is created. */
  confinement: confinementSchema.optional(),
  bundle: z.string().optional(),
  /** Options for the OCI runtime that differ from those of the node. */
  runtime: runtimeOptionsSchema.optional(),
  /** Its supervisors died too often: it has none until the node is started again. */
  unsupervised: z.boolean().optional(),
  autoRemove: z.boolean(),
  /** The restart policy, and the number of restarts in a row that did not last. */
  restart: z.object({...restartPolicySchema.shape, attempt: z.int().positive().optional()}).optional(),
  /** How often the container was restarted. */
  restarts: z.int().positive().optional(),
  /** When the next restart is due. */
  restartDueAt: z.string().optional(),
  /** The result of the health check; absent unless the container runs and has one. */
  health: z
    .object({
      status: z.enum(['starting', ...healthStatuses]),
      /** The number of failed checks in a row at the last change of the status. */
      failures: z.int().optional(),
      output: z.string().optional(),
    })
    .optional(),
  /** File descriptors 0, 1 and 2 are a pseudo-terminal. */
  terminal: z.boolean().optional(),
  /** Its input is open. */
  stdin: z.boolean().optional(),
  /** The added processes that are not deleted, in the order in which they were added; absent when there is none. */
  execs: z.array(processViewSchema).optional(),
  /** The first added process that did not fit into the message; `state` with `execsFrom` shows it. */
  nextExec: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** The last checkpoint. */
  checkpoint: z.object({image: z.string(), leaveRunning: z.boolean(), time: z.string()}).optional(),
  /** The directory of the checkpoint that the container was created from. */
  restoredFrom: z.string().optional(),
  /** The limits that were requested; `null` is a limit that was removed. */
  limits: limitsSchema.optional(),
  requestedAt: z.string(),
  createdAt: z.string().optional(),
  startedAt: z.string().optional(),
  /** Since when the container is paused; absent unless it is. */
  pausedAt: z.string().optional(),
  /** The number of processes that were killed because memory ran out; absent when there was none. */
  oomKills: z.int().positive().optional(),
  exit: processExitSchema.optional(),
  exitedAt: z.string().optional(),
  /** Init was killed because memory ran out. */
  oomKilled: z.boolean().optional(),
  /** Why the last command failed; absent when it succeeded. */
  error: failureSchema.optional(),
  /** The number of events in the ledger, which is the sequence of the last one. */
  eventCount: z.int(),
})
export type ContainerView = z.infer<typeof containerViewSchema>

/** The reply of a node's `list` command. */
export const listReplySchema = z.object({
  containers: z.array(containerViewSchema),
  /** There are more containers after this one. */
  next: z.string().optional(),
})
export type ListReply = z.infer<typeof listReplySchema>

export const nodeInfoSchema = z.object({
  node: z.string(),
  version: z.string(),
  coordinatorPid: z.int(),
  /** The shim that starts the coordinator again when it dies: how often it has started one, and how many have died. Absent in the foreground. */
  parent: z.object({pid: z.int(), starts: z.int(), deaths: z.int()}).optional(),
  /** The pid of the embedded nats-server; null with an external server. */
  natsPid: z.int().nullable(),
  natsUrl: z.string(),
  /** The version of the NATS server; absent while the coordinator is not connected. */
  natsVersion: z.string().optional(),
  stateDir: z.string(),
  runDir: z.string(),
  runtime: z.object({name: z.string(), version: z.string(), path: z.string()}).optional(),
  /** Absent in replies of older releases. */
  confinement: nodeConfinementSchema.optional(),
  nodeVersion: z.string(),
  /** How the coordinator is started, and the digest of its program: `tally upgrade` compares them. Absent in replies of older releases. */
  program: z.object({command: z.array(z.string()), digest: z.string()}).optional(),
  /** The number of containers in each state. */
  containers: z.record(z.string(), z.int()),
  /**
   * The number of containers by what their supervisor is: `awake`; `asleep`; `none`, of a container without a process; `gave-up` and `missing`,
   * which nobody looks after. Absent in replies of older releases.
   */
  supervisors: z.record(z.string(), z.int()).optional(),
  startedAt: z.string(),
  /** Problems found at the start of the node that could not be repaired, one sentence each. */
  warnings: z.array(z.string()).optional(),
  /** Why JetStream is not available; absent while it is. The containers shown are then as of the last event before. */
  trouble: z.string().optional(),
  /** The address of the node's page; absent when it serves none. */
  httpUrl: z.string().optional(),
})
export type NodeInfo = z.infer<typeof nodeInfoSchema>

/** The reply of a node's `ui` command. */
export const uiReplySchema = z.object({
  /** Contains a token that is valid for one login. */
  url: z.string(),
  /** When the token expires. */
  expiresAt: z.string(),
})
export type UiReply = z.infer<typeof uiReplySchema>

/** The reply of a container's `output` command. */
export const outputReplySchema = z.object({
  /** The offset of the data; greater than the requested one when log rotation has deleted the data there. */
  offset: z.int(),
  data: z.base64(),
  /** The number of bytes in the stream so far. */
  total: z.int(),
  /** The stream is complete. */
  ended: z.boolean(),
})
export type OutputReply = z.infer<typeof outputReplySchema>

/** The reply of a container's `log` command. */
export const logReplySchema = z.object({
  /** The position of the first entry; greater than the requested one when log rotation has deleted the entries there. */
  position: z.int(),
  entries: z.array(
    z.object({
      /** RFC 3339, as in the log. */
      time: z.string(),
      stream: streamNameSchema,
      /** The bytes as they were written. Without a newline at the end, they are a part of a longer line. */
      data: z.base64(),
      /** The position after the entry. Absent in replies of supervisors that were started by an older release. */
      next: z.int().optional(),
    }),
  ),
  /** The position to continue from. */
  next: z.int(),
  /** The end of the log at the time of the request: a reader that wants only existing entries stops when `next` reaches it. */
  end: z.int(),
  /** The log is complete, and this reply contains its end. */
  ended: z.boolean(),
})
export type LogReply = z.infer<typeof logReplySchema>
