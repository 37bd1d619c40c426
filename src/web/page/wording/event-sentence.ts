/** What happened, in words, for the ledger as people read it. Pure. */
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import type {ProcessExit} from '../../../../machines/ledger/process-exit.ts'
import {formatClock} from './duration.ts'
import {formatExit, isGoodExit} from './exit.ts'
import {limitsSentence} from './limits-sentence.ts'
import {countOf} from './quantity.ts'
import type {Tone} from './state.ts'

export interface EventSentence {
  /** `Asked to stop`: without its subject, which is the container. */
  readonly what: string
  readonly detail: string
  readonly tone: Tone
}

export function toSentence(event: LedgerEvent): EventSentence {
  switch (event.type) {
    case 'container.create-requested':
      return say('Asked for', 'args' in event.data.request ? event.data.request.args.join(' ') : event.data.request.bundle, 'moving')
    case 'container.created':
      return say('Created', event.data.init ? `init is process ${event.data.init.pid}` : 'from a checkpoint', 'calm')
    case 'container.create-failed':
      return fail('Could not be created', event.data.error)
    case 'container.start-requested':
      return say('Asked to start', '', 'moving')
    case 'container.started':
      return say('Started', event.data.init ? `init is process ${event.data.init.pid}` : '', 'good')
    case 'container.start-failed':
      return fail('Could not be started', event.data.error)
    case 'container.kill-requested':
      return say('To be signalled', `${event.data.signal}${event.data.all ? ' to every process' : ''}`, 'moving')
    case 'container.signalled':
      return say('Signalled', event.data.signal, 'quiet')
    case 'container.kill-failed':
      return fail(`${event.data.signal} could not be sent`, event.data.error)
    case 'container.stop-requested':
      return say('Asked to stop', `${event.data.signal}, then SIGKILL`, 'moving')
    case 'container.stop-timed-out':
      return say('Grace period over', 'SIGKILL follows', 'held')
    case 'container.pause-requested':
      return say('Asked to pause', '', 'moving')
    case 'container.paused':
      return say('Paused', '', 'held')
    case 'container.pause-failed':
      return fail('Could not be paused', event.data.error)
    case 'container.resume-requested':
      return say('Asked to resume', '', 'moving')
    case 'container.resumed':
      return say('Resumed', '', 'good')
    case 'container.resume-failed':
      return fail('Could not be resumed', event.data.error)
    case 'container.checkpoint-requested':
      return say('Checkpoint asked for', event.data.checkpoint.image, 'moving')
    case 'container.checkpointed':
      return say('Checkpointed', event.data.image, 'calm')
    case 'container.checkpoint-failed':
      return fail('No checkpoint', event.data.error)
    case 'container.update-requested':
      return say('Limits to change', limitsSentence(event.data.limits), 'moving')
    case 'container.updated':
      return say('Limits changed', limitsSentence(event.data.limits), 'calm')
    case 'container.update-failed':
      return fail('Limits kept', event.data.error)
    case 'container.oom':
      return say('Out of memory', `${event.data.killed} killed so far`, 'bad')
    case 'container.stdin-closed':
      return say('Input closed', '', 'quiet')
    case 'container.resized':
      return say('Terminal resized', `${event.data.columns} × ${event.data.rows}`, 'quiet')
    case 'container.exited':
      return end('Exited', event.data.exit, event.data.oomKilled ? 'for want of memory' : '')
    case 'container.health-changed':
      return event.data.status === 'healthy'
        ? say('Healthy', firstLine(event.data.output), 'good')
        : say(
            'Unhealthy',
            [`${countOf(event.data.failures, 'check')} failed`, firstLine(event.data.output)].filter(Boolean).join(': '),
            'bad',
          )
    case 'container.restart-scheduled':
      return say('To come back', `attempt ${event.data.attempt}, at ${formatClock(event.data.dueAt)}`, 'held')
    case 'container.restart-due':
      return say('Made again', '', 'moving')
    case 'container.restart-cancelled':
      return say('Not to come back', 'somebody asked for its end', 'quiet')
    case 'container.restart-gave-up':
      return say('Given up', `${countOf(event.data.attempts, 'restart')} in a row did not last`, 'bad')
    case 'container.delete-requested':
      return say('To be deleted', event.data.reason ?? (event.data.force ? 'by force' : ''), 'moving')
    case 'container.deleted':
      return say('Deleted', 'nothing of it is left but this ledger', 'gone')
    case 'container.delete-failed':
      return fail('Could not be deleted', event.data.error)
    case 'exec.added':
      return say('Process added', `${event.data.exec}: ${event.data.spec.args.join(' ')}`, 'calm')
    case 'exec.start-requested':
      return say('Process to start', event.data.exec, 'moving')
    case 'exec.started':
      return say('Process started', `${event.data.exec}: process ${event.data.process.pid}`, 'good')
    case 'exec.start-failed':
      return fail(`Process ${event.data.exec} could not be started`, event.data.error)
    case 'exec.kill-requested':
      return say('Process to be signalled', `${event.data.exec}: ${event.data.signal}`, 'moving')
    case 'exec.signalled':
      return say('Process signalled', `${event.data.exec}: ${event.data.signal}`, 'quiet')
    case 'exec.kill-failed':
      return fail(`Process ${event.data.exec} could not be signalled`, event.data.error)
    case 'exec.stdin-closed':
      return say('Input of a process closed', event.data.exec, 'quiet')
    case 'exec.resized':
      return say('Terminal of a process resized', `${event.data.exec}: ${event.data.columns} × ${event.data.rows}`, 'quiet')
    case 'exec.exited':
      return end('Process exited', event.data.exit, event.data.exec)
    case 'exec.delete-requested':
      return say('Process to be deleted', event.data.exec, 'moving')
    case 'exec.deleted':
      return say('Process deleted', event.data.exec, 'gone')
    case 'supervisor.adopted':
      return say('New supervisor', `process ${event.data.supervisorPid}: ${event.data.found}`, 'held')
    case 'supervisor.republished':
      return say('Published again', `from event ${event.data.from}: the stream had lost ${event.data.missing}`, 'held')
    case 'supervisor.gave-up':
      return say('Left alone', `${event.data.deaths} supervisors died within ${event.data.periodMs / 1_000} s`, 'bad')
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
