import type {BootInstant} from '../ledger/boot-instant.ts'
import type {CheckpointSpec, RestoreSpec} from '../schemas/checkpoint.ts'
import type {ProcessIdentity} from '../ledger/events.ts'
import type {CreateRequest} from '../schemas/create-request.ts'
import type {ConsoleSize} from '../schemas/fields.ts'
import type {ExecSpec} from '../schemas/exec-spec.ts'
import type {HealthCheck} from '../schemas/health.ts'
import type {Limits} from '../schemas/limits.ts'
import type {SignalName} from '../schemas/signals.ts'

/**
 * What the chart asks the world to do. Data: returned by a transition, run by the one table of handlers, and only after the
 * event that asked for it is in the journal. Outcomes come back as events, named behind each.
 */
export interface EffectParams {
  /** Bundle, FIFOs, `runc create` → container.created | container.create-failed, with everything rolled back. */
  readonly 'runtime.create': {readonly request: CreateRequest}
  /** Remove what the runtime has left of the container, and make it again with the same root file system and log → as runtime.create */
  readonly 'runtime.recreate': {readonly request: CreateRequest}
  /** `runc start` → container.started | container.start-failed */
  readonly 'runtime.start': Record<never, never>
  /** Stdio, `runc restore` → container.started | container.start-failed, with what was made rolled back. */
  readonly 'runtime.restore': {readonly checkpoint: RestoreSpec}
  /** Send `signal` to init, or to all of its processes → container.signalled | container.kill-failed */
  readonly 'runtime.kill': {readonly signal: SignalName; readonly all?: boolean}
  /** Freeze → container.paused | container.pause-failed */
  readonly 'runtime.pause': Record<never, never>
  /** Thaw → container.resumed | container.resume-failed */
  readonly 'runtime.resume': Record<never, never>
  /** `runc checkpoint` → container.checkpointed | container.checkpoint-failed, with the image removed */
  readonly 'runtime.checkpoint': {readonly checkpoint: CheckpointSpec}
  /** `runc update` → container.updated | container.update-failed */
  readonly 'runtime.update': {readonly limits: Limits}
  /** Kill what init left in the container's cgroup; and, unless it is to come back, close the output → nothing. */
  readonly 'runtime.sweep': {readonly isToCome?: boolean}
  /** Remove container, FIFOs and bundle → container.deleted | container.delete-failed */
  readonly 'runtime.delete': Record<never, never>
  /** Close the input, after what was sent before → nothing. */
  readonly 'stdin.close': Record<never, never>
  readonly 'terminal.resize': ConsoleSize
  /** FIFOs or a terminal, `runc exec` → exec.started | exec.start-failed, with what was made rolled back. */
  readonly 'exec.start': {readonly exec: string; readonly spec: ExecSpec}
  /** kill(2), of it or of its process group → exec.signalled | exec.kill-failed */
  readonly 'exec.kill': {readonly exec: string; readonly signal: SignalName; readonly all?: boolean}
  readonly 'exec.stdin.close': {readonly exec: string}
  readonly 'exec.terminal.resize': {readonly exec: string} & ConsoleSize
  /** Read what is left of its output, and publish its end → nothing. */
  readonly 'exec.end': {readonly exec: string}
  /** Remove FIFOs and output → exec.deleted */
  readonly 'exec.delete': {readonly exec: string}
  /** Ask for its deletion when no reader has a lease on its output → exec.delete-requested */
  readonly 'request.exec-delete': {readonly exec: string; readonly reason: string}
  /** → container.stop-timed-out | container.restart-due, not before `bootDue`, or `dueAt` where that is of another boot. */
  readonly 'timer.arm': {readonly timer: Timer; readonly dueAt: string; readonly bootDue?: BootInstant}
  readonly 'timer.cancel': {readonly timer: Timer}
  /** Choose a moment within the last half of `delayMs` → container.restart-scheduled */
  readonly 'restart.schedule': {readonly attempt: number; readonly delayMs: number}
  /** → container.restart-gave-up */
  readonly 'restart.give-up': {readonly attempts: number}
  /** Ask for its start in the container's own name → container.start-requested */
  readonly 'request.start': Record<never, never>
  /** Run the check now and then → container.health-changed, with every change. */
  readonly 'health.watch': {readonly check: HealthCheck}
  /** No more checks → nothing. */
  readonly 'health.end': Record<never, never>
  /** Watch for kills because memory ran out, of which `known` are in the ledger → container.oom, with every new count. */
  readonly 'oom.watch': {readonly init: ProcessIdentity; readonly cgroups: readonly string[]; readonly known: number}
  /** No more of that → nothing. */
  readonly 'oom.end': Record<never, never>
  /** Copy what the runtime knows of the container to where it survives a run directory that is wiped → nothing. */
  readonly 'runtime.copy-state': Record<never, never>
  /** Ask for a delete in the container's own name → container.delete-requested */
  readonly 'request.delete': {readonly reason: string}
  /** The container is gone: publish what is left of its events, remove its state directory, exit. */
  readonly 'supervisor.end': Record<never, never>
}
/** What a timer is for: the end of a stop's grace, or the next restart. */
export type Timer = 'stop' | 'restart'
export type EffectType = keyof EffectParams
export type Effect = {readonly [T in EffectType]: {readonly type: T} & EffectParams[T]}[EffectType]
