/** A short text for each event. Pure. */
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import type {ProcessExit} from '../../../../machines/ledger/process-exit.ts'
import {formatClock} from './duration.ts'
import {formatExit, isGoodExit} from './exit.ts'
import {limitsSentence} from './limits-sentence.ts'
import {countOf} from './quantity.ts'
import type {Tone} from './state.ts'

export interface EventSentence {
  /** Without the subject, which is the container: `Stop requested`. */
  readonly what: string
  readonly detail: string
  readonly tone: Tone
}

export function toSentence(event: LedgerEvent): EventSentence {
  switch (event.type) {
    case 'container.create-requested':
      return say('Create requested', 'args' in event.data.request ? event.data.request.args.join(' ') : event.data.request.bundle, 'moving')
    case 'container.created':
      return say('Created', event.data.init ? `init is process ${event.data.init.pid}` : 'from a checkpoint', 'calm')
    case 'container.create-failed':
      return fail('Create failed', event.data.error)
    case 'container.start-requested':
      return say('Start requested', '', 'moving')
    case 'container.started':
      return say('Started', event.data.init ? `init is process ${event.data.init.pid}` : '', 'good')
    case 'container.start-failed':
      return fail('Start failed', event.data.error)
    case 'container.kill-requested':
      return say('Signal requested', `${event.data.signal}${event.data.all ? ' to every process' : ''}`, 'moving')
    case 'container.signalled':
      return say('Signal sent', event.data.signal, 'quiet')
    case 'container.kill-failed':
      return fail(`${event.data.signal} could not be sent`, event.data.error)
    case 'container.stop-requested':
      return say('Stop requested', `${event.data.signal}, then SIGKILL`, 'moving')
    case 'container.stop-timed-out':
      return say('Grace period over', 'SIGKILL follows', 'held')
    case 'container.pause-requested':
      return say('Pause requested', '', 'moving')
    case 'container.paused':
      return say('Paused', '', 'held')
    case 'container.pause-failed':
      return fail('Pause failed', event.data.error)
    case 'container.resume-requested':
      return say('Resume requested', '', 'moving')
    case 'container.resumed':
      return say('Resumed', '', 'good')
    case 'container.resume-failed':
      return fail('Resume failed', event.data.error)
    case 'container.checkpoint-requested':
      return say('Checkpoint requested', event.data.checkpoint.image, 'moving')
    case 'container.checkpointed':
      return say('Checkpointed', event.data.image, 'calm')
    case 'container.checkpoint-failed':
      return fail('Checkpoint failed', event.data.error)
    case 'container.update-requested':
      return say('Limits requested', limitsSentence(event.data.limits), 'moving')
    case 'container.updated':
      return say('Limits changed', limitsSentence(event.data.limits), 'calm')
    case 'container.update-failed':
      return fail('Limits not changed', event.data.error)
    case 'container.oom':
      return say('Out of memory', `${event.data.killed} killed so far`, 'bad')
    case 'container.stdin-closed':
      return say('Input closed', '', 'quiet')
    case 'container.resized':
      return say('Terminal resized', `${event.data.columns} × ${event.data.rows}`, 'quiet')
    case 'container.exited':
      return end('Exited', event.data.exit, event.data.oomKilled ? 'out of memory' : '')
    case 'container.health-changed':
      return event.data.status === 'healthy'
        ? say('Healthy', firstLine(event.data.output), 'good')
        : say(
            'Unhealthy',
            [`${countOf(event.data.failures, 'check')} failed`, firstLine(event.data.output)].filter(Boolean).join(': '),
            'bad',
          )
    case 'container.restart-scheduled':
      return say('Restart scheduled', `attempt ${event.data.attempt}, at ${formatClock(event.data.dueAt)}`, 'held')
    case 'container.restart-due':
      return say('Restart due', '', 'moving')
    case 'container.restart-cancelled':
      return say('Restart cancelled', 'the container was stopped', 'quiet')
    case 'container.restart-gave-up':
      return say('No further restart', `${countOf(event.data.attempts, 'restart')} in a row did not last`, 'bad')
    case 'container.delete-requested':
      return say('Delete requested', event.data.reason ?? (event.data.force ? 'by force' : ''), 'moving')
    case 'container.deleted':
      return say('Deleted', 'only this ledger remains', 'gone')
    case 'container.delete-failed':
      return fail('Delete failed', event.data.error)
    case 'exec.added':
      return say('Process added', `${event.data.exec}: ${event.data.spec.args.join(' ')}`, 'calm')
    case 'exec.start-requested':
      return say('Process start requested', event.data.exec, 'moving')
    case 'exec.started':
      return say('Process started', `${event.data.exec}: process ${event.data.process.pid}`, 'good')
    case 'exec.start-failed':
      return fail(`Start of process ${event.data.exec} failed`, event.data.error)
    case 'exec.kill-requested':
      return say('Process signal requested', `${event.data.exec}: ${event.data.signal}`, 'moving')
    case 'exec.signalled':
      return say('Process signal sent', `${event.data.exec}: ${event.data.signal}`, 'quiet')
    case 'exec.kill-failed':
      return fail(`Signal to process ${event.data.exec} failed`, event.data.error)
    case 'exec.stdin-closed':
      return say('Process input closed', event.data.exec, 'quiet')
    case 'exec.resized':
      return say('Process terminal resized', `${event.data.exec}: ${event.data.columns} × ${event.data.rows}`, 'quiet')
    case 'exec.exited':
      return end('Process exited', event.data.exit, event.data.exec)
    case 'exec.delete-requested':
      return say('Process delete requested', event.data.exec, 'moving')
    case 'exec.deleted':
      return say('Process deleted', event.data.exec, 'gone')
    case 'supervisor.adopted':
      return say('New supervisor', `process ${event.data.supervisorPid}: ${event.data.found}`, 'held')
    case 'supervisor.republished':
      return say('Published again', `from event ${event.data.from}; the stream had lost ${countOf(event.data.missing, 'event')}`, 'held')
    case 'supervisor.gave-up':
      return say('No supervisor', `${event.data.deaths} supervisors died within ${event.data.periodMs / 1_000} s`, 'bad')
  }
}

function say(what: string, detail: string, tone: Tone): EventSentence {
  return {what, detail, tone}
}

function fail(what: string, {code, message}: {readonly code: string; readonly message: string}): EventSentence {
  return {what, detail: `${message} (${code})`, tone: 'bad'}
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}

function end(what: string, exit: ProcessExit, more: string): EventSentence {
  const detail = [formatExit(exit), exit.type === 'lost' ? exit.reason : '', more].filter((part) => part !== '').join(', ')
  return {what, detail, tone: isGoodExit(exit) ? 'quiet' : 'bad'}
}
