/**
 * The vocabulary of the ledger: what happened, in the past tense, with the data of each. An event never fails on replay,
 * so a field is added only as optional, and a type is never removed.
 */
import * as z from 'zod'
import {bootInstantSchema} from './boot-instant.ts'
import {checkpointSpecSchema} from '../schemas/checkpoint.ts'
import {confinementSchema} from '../schemas/confinement.ts'
import {createRequestSchema} from '../schemas/create-request.ts'
import {consoleSizeSchema} from '../schemas/fields.ts'
import {execSpecSchema} from '../schemas/exec-spec.ts'
import {healthChangeSchema} from '../schemas/health.ts'
import {idSchema} from './ids.ts'
import {limitsSchema} from '../schemas/limits.ts'
import {exitSourceSchema, processExitSchema, signalNameSchema} from './process-exit.ts'

const instant = z.iso.datetime({offset: true})
/** When it happened, on the clock that nobody sets. */
const boot = bootInstantSchema.optional()
/** `dueAt` on that clock: by this the deadline is kept, and by `dueAt` after another boot. */
const bootDue = bootInstantSchema.optional()
const none = z.strictObject({})

/** Why something failed: an entry of the error table, as text, because the table grows with releases and the ledger does not. */
export const failureSchema = z.object({
  code: z.string(),
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).default({}),
})
export type Failure = z.infer<typeof failureSchema>

/** A process, so identified that a reused pid is not taken for it: start time in clock ticks since boot (proc(5), field 22). */
export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  startTimeTicks: z.int().nonnegative(),
  bootId: z.string(),
})
export type ProcessIdentity = z.infer<typeof processIdentitySchema>

/** What a process has used, together with the children that it waited for (getrusage(2)). */
export const resourceUsageSchema = z.object({
  userMs: z.number().nonnegative(),
  systemMs: z.number().nonnegative(),
  /** The largest resident set of any one of them. */
  maxRssBytes: z.int().nonnegative(),
})
export type ResourceUsage = z.infer<typeof resourceUsageSchema>

/** How a process ended, when, who knew, and what it had used. */
const processEnd = {exit: processExitSchema, exitedAt: instant, source: exitSourceSchema, usage: resourceUsageSchema.optional()}
/** Which of the processes that were added by `exec`. */
const exec = idSchema

export const eventSchemas = {
  /** A create was accepted; nothing exists yet but the state directory. */
  'container.create-requested': z.object({request: createRequestSchema}),
  /** The runtime made the container; its init waits for start. */
  'container.created': z.object({
    /** Absent when its processes are those of a checkpoint, which come with the start. */
    init: processIdentitySchema.optional(),
    bundle: z.string(),
    /** The command line, also where the bundle chose it. */
    args: z.array(z.string()),
    /** Its 0, 1 and 2 are a pseudo-terminal, whose master the supervisor has. */
    terminal: z.boolean().optional(),
    /** Where the changes of its overlay are: on the disk of the state directory, or in memory where that cannot be used for it. */
    overlay: z.enum(['disk', 'memory']).optional(),
    /** Where on disk the kernel accounts for the container, one directory a hierarchy. */
    cgroups: z.array(z.string()),
    /** What stands between it and the host. */
    confinement: confinementSchema.optional(),
  }),
  /** The runtime could not make it; what had been made was rolled back. */
  'container.create-failed': z.object({error: failureSchema}),
  'container.start-requested': none,
  /** The user's program has been executed by init, or the processes of a checkpoint are back: then it tells of init. */
  'container.started': z.object({init: processIdentitySchema.optional(), cgroups: z.array(z.string()).optional(), boot}),
  'container.start-failed': z.object({error: failureSchema}),
  /** `all`: for every process of the container, not init alone. */
  'container.kill-requested': z.object({signal: signalNameSchema, all: z.boolean().optional()}),
  /** The signal was sent; what init does with it is its own affair. */
  'container.signalled': z.object({signal: signalNameSchema}),
  'container.kill-failed': z.object({signal: signalNameSchema, error: failureSchema}),
  /** A stop was accepted: `signal` now, SIGKILL at `dueAt`. */
  'container.stop-requested': z.object({signal: signalNameSchema, dueAt: instant, bootDue}),
  /** The grace period of a stop has passed; SIGKILL follows. */
  'container.stop-timed-out': none,
  'container.pause-requested': none,
  /** Its processes are frozen: none of them is scheduled. */
  'container.paused': none,
  'container.pause-failed': z.object({error: failureSchema}),
  'container.resume-requested': none,
  /** Its processes are scheduled again. */
  'container.resumed': none,
  'container.resume-failed': z.object({error: failureSchema}),
  /** A checkpoint was accepted. */
  'container.checkpoint-requested': z.object({checkpoint: checkpointSpecSchema}),
  /** Its processes are in the image, and have ended with that unless they were to go on. */
  'container.checkpointed': z.object({image: z.string(), leaveRunning: z.boolean()}),
  'container.checkpoint-failed': z.object({error: failureSchema}),
  /** An update was accepted: these limits change, `null` lifts one. */
  'container.update-requested': z.object({limits: limitsSchema}),
  /** The kernel has them. */
  'container.updated': z.object({limits: limitsSchema}),
  'container.update-failed': z.object({error: failureSchema}),
  /** The kernel killed processes of a group for want of memory. Comes before the exit that it caused. */
  'container.oom': z.object({
    /** Its directory. The limit may be that of a group above it, or the memory of the host. */
    cgroup: z.string(),
    /** How many so far, as the kernel counts. */
    killed: z.int().positive(),
  }),
  /** Its input was closed: it reads an end of file after what was sent before. */
  'container.stdin-closed': none,
  /** Its terminal is of that size now, in characters. */
  'container.resized': consoleSizeSchema,
  /** Init has ended. The last exit of a container; `source` says who knew. */
  'container.exited': z.object({
    ...processEnd,
    /** Init itself was killed for want of memory. */
    oomKilled: z.boolean().optional(),
    boot,
  }),
  /** Its check finds it well, or no longer well. */
  'container.health-changed': healthChangeSchema,
  /** It has ended and its policy wants it back: at `dueAt`. `attempt` counts those in a row that did not last. */
  'container.restart-scheduled': z.object({attempt: z.int().positive(), dueAt: instant, bootDue}),
  /** The time has come: it is made again, from what is left of it. */
  'container.restart-due': none,
  /** Somebody has asked for its end while it waited: it does not come back. */
  'container.restart-cancelled': none,
  /** So many attempts in a row did not last: it does not come back. */
  'container.restart-gave-up': z.object({attempts: z.int().positive()}),
  /** A delete was accepted; `force` kills what still runs. */
  'container.delete-requested': z.object({force: z.boolean(), reason: z.string().optional()}),
  /** Every process, mount, cgroup and FIFO is gone. The last event of a container. */
  'container.deleted': none,
  'container.delete-failed': z.object({
    error: failureSchema,
    /** Its processes are frozen still. */
    paused: z.boolean().optional(),
  }),
  /** A process was added to the container; it waits for its start. */
  'exec.added': z.object({exec, spec: execSpecSchema}),
  'exec.start-requested': z.object({exec}),
  /** Its program has been executed. */
  'exec.started': z.object({exec, process: processIdentitySchema}),
  'exec.start-failed': z.object({exec, error: failureSchema}),
  'exec.kill-requested': z.object({exec, signal: signalNameSchema, all: z.boolean().optional()}),
  'exec.signalled': z.object({exec, signal: signalNameSchema}),
  'exec.kill-failed': z.object({exec, signal: signalNameSchema, error: failureSchema}),
  'exec.stdin-closed': z.object({exec}),
  'exec.resized': z.object({exec, ...consoleSizeSchema.shape}),
  /** It has ended. Always before the `container.exited` of its container. */
  'exec.exited': z.object({exec, ...processEnd}),
  'exec.delete-requested': z.object({exec, reason: z.string().optional()}),
  /** Its FIFOs and its output are gone, and its id is free. */
  'exec.deleted': z.object({exec}),
  /** A new supervisor took over from one that died: what it found and will finish. */
  'supervisor.adopted': z.object({
    supervisorPid: z.int().positive(),
    found: z.string(),
    /** How many events that the journal had lost were taken back from the stream; absent when none was. */
    takenBack: z.int().positive().optional(),
    /** How many bytes of a line half written were cut off the journal; absent when none were. */
    tornBytes: z.int().positive().optional(),
  }),
  /** Its supervisors have died so often within the period that it gets no other until the node is started again. It runs on. */
  'supervisor.gave-up': z.object({deaths: z.int().positive(), periodMs: z.int().positive()}),
  /**
   * The stream was not what had been published to it: deleted, purged, replaced by an old copy, or written by somebody else. From there on
   * its events were published again.
   */
  'supervisor.republished': z.object({
    from: z.int().positive(),
    /** How many that the stream had confirmed were gone, as far as this supervisor knows. */
    missing: z.int().nonnegative(),
    /** How many were taken out: doubled, out of order, behind a gap, or not what the journal says. */
    removed: z.int().nonnegative(),
  }),
} as const
export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventSchemas)[T]>

/** One line of the ledger, as the chart sees it. */
export type LedgerEvent<T extends EventType = EventType> = {
  readonly [K in T]: {
    readonly type: K
    readonly data: EventData<K>
    /** RFC 3339, UTC, when the supervisor journaled it. */
    readonly time: string
    /** 1 for the first event of a container, without gaps. */
    readonly sequence: number
    /** Made at create: tells a reused id from the container that had it before. */
    readonly uid: string
    /** `/tally/<node>/<ns>/<id>` */
    readonly source: string
    /** Who asked, or `supervisor` for what was observed. */
    readonly actor: string
    /** The same for everything that followed from one request. */
    readonly correlationId: string
    /** `<uid>:<sequence>` of the event that brought this one about. */
    readonly causationId: string | undefined
  }
}[T]

/** Of a process that was added by `exec`, rather than of the container itself. */
export type ExecEventType = Extract<EventType, `exec.${string}`>
export type ExecEvent = LedgerEvent<ExecEventType>

export function isExecEvent<E extends {readonly type: EventType}>(event: E): event is Extract<E, {readonly type: ExecEventType}> {
  return event.type.startsWith('exec.')
}

export function isEventType(value: string): value is EventType {
  return Object.hasOwn(eventSchemas, value)
}
