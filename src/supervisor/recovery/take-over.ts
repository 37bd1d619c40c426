/** How a new supervisor takes over from one that died: it looks at what there is, journals what it finds, and continues. */
import {mkdirSync} from 'node:fs'
import type {LedgerEvent, ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {JournalRepair} from '../../journal/journal.ts'
import {isSameProcess, readBootId} from '../../linux/process-table.ts'
import type {InheritedDescriptor} from '../assignment.ts'
import type {EffectDependencies} from '../effects/effect-dependencies.ts'
import {findExecProcess} from './find-exec.ts'
import {findInheritedProcess, findInheritedTerminal} from '../processes/inherited-descriptors.ts'
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
  /** What the coordinator held meanwhile. */
  readonly inherited: readonly InheritedDescriptor[]
  /** Of the journal, when it was opened. */
  readonly repair: JournalRepair
  /** Events that the journal had lost, and the stream had not. */
  readonly restored: number
}

export async function takeOver(dependencies: TakeOverDependencies, {id, inherited, repair, restored}: TakeOverOptions): Promise<void> {
  const {loop, runtime, init, execs, layout, clock, bootNow, logger} = dependencies
  const {init: identity, cgroups, exited} = loop.ledger.snapshot.context
  const {latest} = loop.ledger
  const isInitAlive = identity !== undefined && !exited && isKnown(identity, inherited)
  // A call of the runtime that the former supervisor began goes on, and would interfere.
  await runtime.settled()
  const isExecuted = await runtime.isExecuted(id, identity && isSameProcess(identity) ? identity.pid : undefined)
  const {status} = (await runtime.state(id).catch(() => undefined)) ?? {}
  const found = `${latest?.type ?? 'an empty journal'}; init ${isInitAlive ? 'alive' : 'gone'}; runtime says ${status ?? 'nothing'}`
  logger.warn({found}, 'taking over from a supervisor that died')
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
  const adopted = {type: 'supervisor.adopted', data: {supervisorPid: process.pid, found, ...toMended(repair, restored)}} as const
  await loop.observe(adopted)
  if (plan.facts.some(({type}) => type === 'container.create-failed') || plan.isRestoreUndone)
    await runtime.delete(id, {force: true}).catch((error: unknown) => logger.warn({err: error}, 'rollback'))
  await reopenOutputs(dependencies, plan, inherited)
  loop.resume(plan.first)
  // A fact that is not an exit is the outcome of what was in flight, which is the last request.
  for (const fact of plan.facts) void loop.observe(fact, isEnd(fact) ? undefined : toOrigin(latest))
  for (const {exec, process} of plan.watched) execs.watch(exec, process)
  if (identity && isInitAlive) init.readopt(identity, cgroups)
  loop.resume(plan.effects)
}

/** Also after the exit: output may be left in the FIFOs, and the log is read through them. */
async function reopenOutputs(
  {loop, outputs, layout}: TakeOverDependencies,
  {opened}: RecoveryPlan,
  inherited: readonly InheritedDescriptor[],
): Promise<void> {
  const {init, request, stdinClosed, terminal} = loop.ledger.snapshot.context
  if (init) {
    const stdin = request?.stdin === true && !stdinClosed
    await outputs.of().open({stdin, terminal, master: findInheritedTerminal(inherited), rotation: request?.log, again: true})
    await outputs.of().handOver()
  }
  for (const {exec, stdin, terminal} of opened) {
    // A deletion that was interrupted may have removed it.
    mkdirSync(layout.exec(exec).stateDir, {recursive: true, mode: 0o700})
    await outputs.of(exec).open({stdin, terminal, master: findInheritedTerminal(inherited, exec), again: true})
    await outputs.of(exec).handOver()
  }
}

/** As a process of this boot, or as a descriptor from which its status can be read. */
function isKnown(process: ProcessIdentity, inherited: readonly InheritedDescriptor[]): boolean {
  return isSameProcess(process) || findInheritedProcess(inherited, process) !== undefined
}

function toOrigin({correlationId}: LedgerEvent): Origin {
  return {actor: 'supervisor', correlationId}
}
