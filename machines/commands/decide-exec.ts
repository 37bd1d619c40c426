/** Decides on a command for an added process: both its own chart and the container's must allow the event. */
import type {ExecCommand} from './commands.ts'
import type {Decision, Lack} from './decision.ts'
import type {Draft} from '../ledger/draft.ts'
import {canFollow, type Ledger, type ProcessSnapshot} from '../ledger/ledger.ts'
import {toProbe} from '../ledger/probe.ts'

export function decideExec(ledger: Ledger, command: ExecCommand): Decision | 'container forbids it' {
  const {exec} = command
  const process = ledger.processes.get(exec)
  if (command.type === 'exec' && process) return {type: 'reject-exec', reason: 'exists', exec}
  if (command.type !== 'exec' && !process) return {type: 'reject-exec', reason: 'unknown', exec}
  if (needsContainer(command) && ledger.snapshot.hasTag('in-flight')) return {type: 'defer'}
  if (process?.hasTag('in-flight')) return command.type === 'exec-delete' && process.matches('deleting') ? {type: 'join'} : {type: 'defer'}
  if (command.type === 'exec-kill' && process?.matches('stopped')) return {type: 'reject-exec', reason: 'ended', exec}
  if (command.type === 'exec-close-stdin' && isInputClosed(process)) return {type: 'satisfied'}
  const draft = toExecDraft(command)
  if (canFollow(ledger, toProbe(draft))) return {type: 'accept', draft}
  if (needsContainer(command) && !ledger.snapshot.can(toProbe(draft))) return 'container forbids it'
  return {type: 'reject-exec', reason: 'illegal', exec, state: toProcessState(process), ...findLack(command, process)}
}

function findLack({type}: ExecCommand, process: ProcessSnapshot | undefined): {readonly lacks?: Lack} {
  const {terminal, stdin} = process?.context.spec ?? {}
  if (type === 'exec-resize' && terminal !== true) return {lacks: 'terminal'}
  return type === 'exec-close-stdin' && stdin !== true ? {lacks: 'input'} : {}
}

/** The state of a process; `absent` before it is added. */
export function toProcessState(process: ProcessSnapshot | undefined): ProcessSnapshot['value'] {
  return process?.value ?? 'absent'
}

/** Only these two depend on the state of the container. */
function needsContainer({type}: ExecCommand): boolean {
  return type === 'exec' || type === 'exec-start'
}

function isInputClosed(process: ProcessSnapshot | undefined): boolean {
  return process?.context.stdinClosed === true || process?.matches('stopped') === true
}

function toExecDraft(command: ExecCommand): Draft {
  const {exec} = command
  switch (command.type) {
    case 'exec':
      return {type: 'exec.added', data: {exec, spec: command.spec}}
    case 'exec-start':
      return {type: 'exec.start-requested', data: {exec}}
    case 'exec-kill':
      return {type: 'exec.kill-requested', data: {exec, signal: command.signal, ...(command.all && {all: true})}}
    case 'exec-delete':
      return {type: 'exec.delete-requested', data: {exec, ...(command.reason === undefined ? {} : {reason: command.reason})}}
    case 'exec-close-stdin':
      return {type: 'exec.stdin-closed', data: {exec}}
    case 'exec-resize':
      return {type: 'exec.resized', data: {exec, columns: command.columns, rows: command.rows}}
  }
}
