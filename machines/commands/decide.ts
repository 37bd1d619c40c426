/** Decides on a command in the current state: the charts say whether its event is possible. Pure; the time is a parameter. */
import type {Lack, Decision} from './decision.ts'
import type {Draft} from '../ledger/draft.ts'
import type {BootInstant} from '../ledger/boot-instant.ts'
import type {Command, CommandType, ExecCommand} from './commands.ts'
import {decideExec} from './decide-exec.ts'
import {toProbe} from '../ledger/probe.ts'
import {isStopSignal} from '../charts/restart.ts'
import {canFollow, type Ledger, toTopLevelState} from '../ledger/ledger.ts'

/** @param now epoch milliseconds @param boot the same moment on the boot clock */
export function decide(ledger: Ledger, command: Command, now: number, boot?: BootInstant): Decision {
  if (isExecCommand(command)) {
    const decision = decideExec(ledger, command)
    return decision === 'container forbids it' ? reject(ledger, command) : decision
  }
  const state = toTopLevelState(ledger)
  const isOver = (state === 'stopped' && !ledger.snapshot.hasTag('in-flight')) || state === 'failed'
  if (command.type === 'kill' && (isOver || (state === 'waiting' && !isCancelling(ledger, command)))) return {type: 'reject-ended', state}
  if (command.type === 'close-stdin' && (state === 'stopped' || ledger.snapshot.context.stdinClosed)) return {type: 'satisfied'}
  if (command.type === 'stop' && isOver) return {type: 'satisfied'}
  if (ledger.snapshot.hasTag('in-flight')) return command.type === 'delete' && state === 'deleting' ? {type: 'join'} : {type: 'defer'}
  if (command.type === 'stop' && ledger.snapshot.matches({running: {stop: 'killing'}})) return {type: 'join'}
  const draft = toDraft(ledger, command, now, boot)
  if (isPossible(ledger, draft)) return {type: 'accept', draft}
  return reject(ledger, command)
}

function reject(ledger: Ledger, command: Command): Decision {
  const lacks = findLack(command, ledger.snapshot.context)
  const isPaused = ledger.snapshot.matches({running: {execution: 'paused'}})
  return {type: 'reject', state: isPaused ? 'paused' : toTopLevelState(ledger), legal: legalCommands(ledger), ...(lacks && {lacks})}
}

function findLack({type}: Command, {terminal, request}: Ledger['snapshot']['context']): Lack | undefined {
  if (type === 'resize' && !terminal) return 'terminal'
  return type === 'close-stdin' && request?.stdin !== true ? 'input' : undefined
}

/** The commands that the container accepts in its current state. */
export function legalCommands(ledger: Ledger): readonly CommandType[] {
  return sampleCommands.filter((command) => isPossible(ledger, toDraft(ledger, command, 0))).map(({type}) => type)
}

/** Whether the charts accept the event now. */
export function isPossible(ledger: Ledger, draft: Draft): boolean {
  return canFollow(ledger, toProbe(draft))
}

/**
 * Whether an event that is not possible yet will become possible: an effect is in flight, or exits of added processes are still to be
 * recorded, which MUST precede the exit of init.
 */
export function isAwaited({snapshot}: Ledger, draft: Draft): boolean {
  return snapshot.hasTag('in-flight') || (draft.type === 'container.exited' && snapshot.context.liveExecs.length > 0) || isExecAwaited()

  function isExecAwaited(): boolean {
    return draft.type === 'exec.exited' && snapshot.context.liveExecs.includes(draft.data.exec)
  }
}

/** A container that waits for its restart has no process: stopping or killing it cancels the restart. */
function isCancelling({snapshot}: Ledger, command: Command): boolean {
  return snapshot.matches('waiting') && (command.type === 'stop' || (command.type === 'kill' && isStopSignal(command.signal)))
}

function isExecCommand(command: Command): command is ExecCommand {
  return command.type.startsWith('exec')
}

const sampleCommands: readonly Exclude<Command, ExecCommand>[] = [
  {type: 'start'},
  {type: 'kill', signal: 'SIGKILL'},
  {type: 'stop', signal: 'SIGTERM', graceMs: 0},
  {type: 'pause'},
  {type: 'resume'},
  {type: 'checkpoint', checkpoint: {image: '/', leaveRunning: false}},
  {type: 'update', limits: {}},
  {type: 'delete', force: false},
]

function toDraft(ledger: Ledger, command: Exclude<Command, ExecCommand>, now: number, boot?: BootInstant): Draft {
  if (isCancelling(ledger, command)) return {type: 'container.restart-cancelled', data: {}}
  switch (command.type) {
    case 'create':
      return {type: 'container.create-requested', data: {request: command.request}}
    case 'start':
      return {type: 'container.start-requested', data: {}}
    case 'kill':
      return {type: 'container.kill-requested', data: {signal: command.signal, ...(command.all && {all: true})}}
    case 'stop':
      return {
        type: 'container.stop-requested',
        data: {
          signal: command.signal,
          dueAt: new Date(now + command.graceMs).toISOString(),
          ...(boot && {bootDue: {...boot, ms: boot.ms + command.graceMs}}),
        },
      }
    case 'pause':
      return {type: 'container.pause-requested', data: {}}
    case 'resume':
      return {type: 'container.resume-requested', data: {}}
    case 'close-stdin':
      return {type: 'container.stdin-closed', data: {}}
    case 'resize':
      return {type: 'container.resized', data: {columns: command.columns, rows: command.rows}}
    case 'checkpoint':
      return {type: 'container.checkpoint-requested', data: {checkpoint: command.checkpoint}}
    case 'update':
      return {type: 'container.update-requested', data: {limits: command.limits}}
    case 'delete': {
      const {force, reason} = command
      return {type: 'container.delete-requested', data: {force, ...(reason === undefined ? {} : {reason})}}
    }
  }
}
