/**
 * All types of events, named in the past tense, with the schema of their data. Old journals MUST fold with new code; achieved by
 * adding fields only as optional ones and never removing a type.
 */
import * as z from 'zod'
import {bootInstantSchema} from './boot-instant.ts'
import {checkpointSpecSchema} from '../schemas/checkpoint.ts'
import {confinementSchema} from '../schemas/confinement.ts'
import {createRequestSchema} from '../schemas/create-request.ts'
import {consoleSizeSchema, instant} from '../schemas/fields.ts'
import {execSpecSchema} from '../schemas/exec-spec.ts'
import {healthChangeSchema} from '../schemas/health.ts'
import {idSchema} from './ids.ts'
import {limitsSchema} from '../schemas/limits.ts'
import {overlayPlaceSchema} from '../schemas/mounts.ts'
import {signalNameSchema} from '../schemas/signals.ts'
import {exitSourceSchema, processExitSchema} from './process-exit.ts'

/** When it happened, on the boot clock. */
const boot = bootInstantSchema.optional()
/** The deadline on the boot clock. It takes precedence over `dueAt` unless the host was booted in between. */
const bootDue = bootInstantSchema.optional()
const none = z.strictObject({})

/** Why something failed: an entry of the error table. The code is any string, since later releases may have other codes. */
export const failureSchema = z.object({
  code: z.string(),
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).default({}),
})
export type Failure = z.infer<typeof failureSchema>

/** Identifies a process even if its pid is reused: with its start time in clock ticks since boot (proc(5), field 22). */
export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  startTimeTicks: z.int().nonnegative(),
  bootId: z.string(),
})
export type ProcessIdentity = z.infer<typeof processIdentitySchema>

/** The resources that a process used, including those of the children that it waited for (getrusage(2)). */
export const resourceUsageSchema = z.object({
  userMs: z.number().nonnegative(),
  systemMs: z.number().nonnegative(),
  /** The largest resident set of any one of these processes. */
  maxRssBytes: z.int().nonnegative(),
})
export type ResourceUsage = z.infer<typeof resourceUsageSchema>

/** How and when a process ended, where its status comes from, and the resources that it used. */
const processEnd = {exit: processExitSchema, exitedAt: instant, source: exitSourceSchema, usage: resourceUsageSchema.optional()}
/** The id of a process that was added by `exec`. */
const exec = idSchema

export const eventSchemas = {
  /** A create was accepted; only the state directory exists yet. */
  'container.create-requested': z.object({request: createRequestSchema}),
  /** The runtime has created the container; its init waits for the start. */
  'container.created': z.object({
    /** Absent when the container is started from a checkpoint: it has no processes before the start. */
    init: processIdentitySchema.optional(),
    bundle: z.string(),
    /** The command line of init, also if it comes from a bundle. */
    args: z.array(z.string()),
    /** File descriptors 0, 1 and 2 of init are a pseudo-terminal. */
    terminal: z.boolean().optional(),
    /** Where the overlay is: in the state directory, or in memory if that file system cannot hold an overlay. */
    overlay: overlayPlaceSchema.optional(),
    /** The cgroup directories of the container, one for each hierarchy. */
    cgroups: z.array(z.string()),
    /** How the container is isolated from the host. */
    confinement: confinementSchema.optional(),
  }),
  /** The runtime could not create the container; what existed of it was removed. */
  'container.create-failed': z.object({error: failureSchema}),
  'container.start-requested': none,
  /** Init has executed the user's program; or the processes of a checkpoint are restored, and `init` and `cgroups` are theirs. */
  'container.started': z.object({init: processIdentitySchema.optional(), cgroups: z.array(z.string()).optional(), boot}),
  'container.start-failed': z.object({error: failureSchema}),
  /** `all`: the signal is for every process of the container. */
  'container.kill-requested': z.object({signal: signalNameSchema, all: z.boolean().optional()}),
  /** The signal was sent. Init may handle or ignore it. */
  'container.signalled': z.object({signal: signalNameSchema}),
  'container.kill-failed': z.object({signal: signalNameSchema, error: failureSchema}),
  /** A stop was accepted: `signal` is sent now, and SIGKILL at `dueAt`. */
  'container.stop-requested': z.object({signal: signalNameSchema, dueAt: instant, bootDue}),
  /** The grace period of a stop has passed; SIGKILL follows. */
  'container.stop-timed-out': none,
  'container.pause-requested': none,
  /** All processes of the container are frozen. */
  'container.paused': none,
  'container.pause-failed': z.object({error: failureSchema}),
  'container.resume-requested': none,
  /** The processes of the container run again. */
  'container.resumed': none,
  'container.resume-failed': z.object({error: failureSchema}),
  'container.checkpoint-requested': z.object({checkpoint: checkpointSpecSchema}),
  /** The processes were written to the image. Unless `leaveRunning`, they have been killed. */
  'container.checkpointed': z.object({image: z.string(), leaveRunning: z.boolean()}),
  'container.checkpoint-failed': z.object({error: failureSchema}),
  /** An update was accepted: these limits change; `null` removes a limit. */
  'container.update-requested': z.object({limits: limitsSchema}),
  /** The limits are in force. */
  'container.updated': z.object({limits: limitsSchema}),
  'container.update-failed': z.object({error: failureSchema}),
  /** The kernel killed processes because a cgroup was out of memory. Precedes the exits that this caused. */
  'container.oom': z.object({
    /** The directory of the cgroup. The exhausted limit may be that of a parent cgroup, or the memory of the host. */
    cgroup: z.string(),
    /** The number of processes killed so far, as counted by the kernel. */
    killed: z.int().positive(),
  }),
  /** The input was closed: init reads end of file after the data that was sent before. */
  'container.stdin-closed': none,
  /** The terminal has a new size. */
  'container.resized': consoleSizeSchema,
  /** Init has ended. It follows the exits of all other processes of the container. */
  'container.exited': z.object({
    ...processEnd,
    /** The kernel killed init itself because the cgroup was out of memory. */
    oomKilled: z.boolean().optional(),
    boot,
  }),
  /** The health check has found the container healthy, or no longer healthy. */
  'container.health-changed': healthChangeSchema,
  /** The container has ended and is restarted at `dueAt`. `attempt` counts the restarts in a row that did not last. */
  'container.restart-scheduled': z.object({attempt: z.int().positive(), dueAt: instant, bootDue}),
  /** The restart is due: the container is created again with the same root file system, log and limits. */
  'container.restart-due': none,
  /** A caller stopped the container while it waited for its restart: it is not restarted. */
  'container.restart-cancelled': none,
  /** This many restarts in a row did not last: there is no further restart. */
  'container.restart-gave-up': z.object({attempts: z.int().positive()}),
  /** A delete was accepted; `force` kills running processes. */
  'container.delete-requested': z.object({force: z.boolean(), reason: z.string().optional()}),
  /** All processes, mounts, cgroups and FIFOs of the container are gone. The last event of a container. */
  'container.deleted': none,
  'container.delete-failed': z.object({
    error: failureSchema,
    /** The processes of the container are still frozen. */
    paused: z.boolean().optional(),
  }),
  /** A process was added to the container. It is started by `exec.start-requested`. */
  'exec.added': z.object({exec, spec: execSpecSchema}),
  'exec.start-requested': z.object({exec}),
  /** The process has executed its program. */
  'exec.started': z.object({exec, process: processIdentitySchema}),
  'exec.start-failed': z.object({exec, error: failureSchema}),
  'exec.kill-requested': z.object({exec, signal: signalNameSchema, all: z.boolean().optional()}),
  'exec.signalled': z.object({exec, signal: signalNameSchema}),
  'exec.kill-failed': z.object({exec, signal: signalNameSchema, error: failureSchema}),
  'exec.stdin-closed': z.object({exec}),
  'exec.resized': z.object({exec, ...consoleSizeSchema.shape}),
  /** The process has ended. Always precedes the `container.exited` of its container. */
  'exec.exited': z.object({exec, ...processEnd}),
  'exec.delete-requested': z.object({exec, reason: z.string().optional()}),
  /** The FIFOs and the output of the process are gone; its id can be used again. */
  'exec.deleted': z.object({exec}),
  /** A new supervisor replaced one that died. `found` says what was in flight, which the new supervisor finishes. */
  'supervisor.adopted': z.object({
    supervisorPid: z.int().positive(),
    found: z.string(),
    /** The number of events that the journal had lost and that were restored from the stream; absent when there was none. */
    takenBack: z.int().positive().optional(),
    /** The number of bytes of an incomplete last line that were cut off the journal; absent when there was none. */
    tornBytes: z.int().positive().optional(),
  }),
  /** This many supervisors died within the period. No other is started before the node is started again; the container runs on. */
  'supervisor.gave-up': z.object({deaths: z.int().positive(), periodMs: z.int().positive()}),
  /**
   * The stream differed from the journal: it had been deleted, purged, replaced by an old copy, or written to by others. The events of
   * the container were published again from the event `from`.
   */
  'supervisor.republished': z.object({
    from: z.int().positive(),
    /** The number of lost events that the stream had confirmed, as far as this supervisor knows. */
    missing: z.int().nonnegative(),
    /** The number of events removed from the stream: duplicates, out of order, after a gap, or different from the journal. */
    removed: z.int().nonnegative(),
  }),
} as const
export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventSchemas)[T]>

/** One event of a ledger, as the charts receive it. */
export type LedgerEvent<T extends EventType = EventType> = {
  readonly [K in T]: {
    readonly type: K
    readonly data: EventData<K>
    /** When the supervisor journaled the event: RFC 3339, UTC. */
    readonly time: string
    /** 1 for the first event of a container, without gaps. */
    readonly sequence: number
    /** Chosen at create; distinguishes containers that have the same id one after the other. */
    readonly uid: string
    /** `/tally/<node>/<ns>/<id>` */
    readonly source: string
    /** The caller that made the request, or `supervisor` for what the supervisor observed or decided. */
    readonly actor: string
    /** Shared by all events that follow from one request. */
    readonly correlationId: string
    /** `<uid>:<sequence>` of the event that caused this one. */
    readonly causationId: string | undefined
  }
}[T]

/** Events of processes that were added by `exec`. */
export type ExecEventType = Extract<EventType, `exec.${string}`>
export type ExecEvent = LedgerEvent<ExecEventType>

export function isExecEvent<E extends {readonly type: EventType}>(event: E): event is Extract<E, {readonly type: ExecEventType}> {
  return event.type.startsWith('exec.')
}

export function isEventType(value: string): value is EventType {
  return Object.hasOwn(eventSchemas, value)
}
