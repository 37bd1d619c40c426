/** How a new supervisor takes over from one that died: it looks at what there is, journals what it finds, and continues. */
import {mkdirSync} from 'node:fs'
import type {LedgerEvent, ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import type {JournalRepair} from '../../journal/journal.ts'
import {isSameProcess, readBootId} from '../../linux/process-table.ts'
import type {KnownExit} from '../assignment.ts'
import type {EffectDependencies} from '../effects/effect-dependencies.ts'
import {findExecProcess} from './find-exec.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {Loop} from '../loop/loop.ts'
import {isEnd, type Origin} from '../loop/origin.ts'
import {planRecovery, type RecoveryPlan} from './recovery.ts'
import {toMended} from './restore-from-stream.ts'

export interface TakeOverDependencies
  extends Pick<EffectDependencies, 'runtime' | 'outputs' | 'init' | 'execs' | 'clock' | 'bootNow' | 'logger'> {
  readonly loop: Loop
  readonly layout: ContainerLayout
}

export interface TakeOverOptions {
  readonly id: string
  /** How processes ended that lost their shim. */
  readonly exits: readonly KnownExit[]
  /** Of the journal, when it was opened. */
  readonly repair: JournalRepair
  /** Events that the journal had lost, and the stream had not. */
  readonly restored: number
  /** The supervisor before fell asleep with nothing left to do, and did not die. */
  readonly isWoken: boolean
}

export async function takeOver(dependencies: TakeOverDependencies, {id, exits, repair, restored, isWoken}: TakeOverOptions): Promise<void> {
  const {loop, runtime, init, execs, layout, clock, bootNow, logger} = dependencies
  const {init: identity, cgroups, exited} = loop.ledger.snapshot.context
  const {latest} = loop.ledger
  const isInitAlive = identity !== undefined && !exited && isKnown(identity, exits)
  const {isExecuted, status} = isWoken ? toUndisturbed(loop.ledger) : await askRuntime(runtime, {id, identity})
  // Nothing to take over, but the last of its events may have to be published.
  if (!latest || loop.ledger.snapshot.status === 'done') return loop.resume([{type: 'supervisor.end'}])
  const plan = planRecovery(loop.ledger, {
    initAlive: isInitAlive,
    isExecuted,
    isRebooted: identity !== undefined && identity.bootId !== readBootId(),
    runtimeStatus: status,
    findExec: (exec) => findExecProcess(layout.exec(exec), cgroups),
    now: new Date(clock.now()).toISOString(),
    boot: bootNow(),
  })
  const found = `${latest.type}; init ${isInitAlive ? 'alive' : 'gone'}; runtime says ${status ?? 'nothing'}`
  if (!isWoken) logger.warn({found}, 'taking over from a supervisor that died')
  const adopted = {type: 'supervisor.adopted', data: {supervisorPid: process.pid, found, ...toMended(repair, restored)}} as const
  if (!isWoken) await loop.observe(adopted)
  if (plan.facts.some(({type}) => type === 'container.create-failed') || plan.isRestoreUndone)
    await runtime.delete(id, {force: true}).catch((error: unknown) => logger.warn({err: error}, 'rollback'))
  await reopenOutputs(dependencies, plan)
  loop.resume(plan.first)
  // A fact that is not an exit is the outcome of what was in flight, which is the last request.
  for (const fact of plan.facts) void loop.observe(fact, isEnd(fact) ? undefined : toOrigin(latest))
  for (const {exec, process} of plan.watched) execs.watch(exec, process)
  if (identity && isInitAlive) init.readopt(identity, cgroups)
  loop.resume(plan.effects)
}

interface RuntimeFound {
  readonly isExecuted: boolean
  readonly status: string | undefined
}

async function askRuntime(
  runtime: TakeOverDependencies['runtime'],
  {id, identity}: {readonly id: string; readonly identity: ProcessIdentity | undefined},
): Promise<RuntimeFound> {
  // A call of the runtime that the former supervisor began goes on, and would interfere.
  await runtime.settled()
  const isExecuted = await runtime.isExecuted(id, identity && isSameProcess(identity) ? identity.pid : undefined)
  const {status} = (await runtime.state(id).catch(() => undefined)) ?? {}
  return {isExecuted, status}
}

/** Nothing was in flight: the runtime says what the ledger says. */
function toUndisturbed({snapshot}: Ledger): RuntimeFound {
  return {isExecuted: snapshot.context.startedAt !== undefined, status: snapshot.context.pausedAt ? 'paused' : 'running'}
}

/** Also after the exit: output may be left in the FIFOs, and the log is read through them. */
async function reopenOutputs({loop, outputs, layout}: TakeOverDependencies, {opened}: RecoveryPlan): Promise<void> {
  const {init, request, stdinClosed, terminal} = loop.ledger.snapshot.context
  if (init) {
    const stdin = request?.stdin === true && !stdinClosed
    await outputs.of().reopen({stdin, terminal, rotation: request?.log})
  }
  for (const {exec, stdin, terminal} of opened) {
    // A deletion that was interrupted may have removed it.
    mkdirSync(layout.exec(exec).stateDir, {recursive: true, mode: 0o700})
    await outputs.of(exec).reopen({stdin, terminal})
  }
}

/** As a process of this boot, or with an end that somebody has seen. */
function isKnown(process: ProcessIdentity, exits: readonly KnownExit[]): boolean {
  return (
    isSameProcess(process) ||
    (process.bootId === readBootId() && exits.some((one) => one.pid === process.pid && one.startTimeTicks === process.startTimeTicks))
  )
}

function toOrigin({correlationId}: LedgerEvent): Origin {
  return {actor: 'supervisor', correlationId}
}
