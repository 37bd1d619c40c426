import {type Command, InvalidArgumentError} from 'commander'
import {toCloudEvent} from '../../machines/ledger/cloud-event.ts'
import {type EventType, eventSchemas, isEventType, type LedgerEvent} from '../../machines/ledger/events.ts'
import {idRule, isId, parseSource} from '../../machines/ledger/ids.ts'
import {TallyError} from '../kernel/errors.ts'
import {formatExit, formatLimits} from './format.ts'
import {resolveNodeOptions} from './node-options.ts'
import {printJsonLine, printNote} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {parseTime} from './times.ts'
import {addVerb, connect} from './verb.ts'

interface Filter {
  readonly type?: EventType
  readonly id?: string
  readonly namespace?: string
  readonly node?: string
}

interface EventsFlags {
  readonly since?: Date
  readonly filter: Filter
  readonly follow: boolean
}

export function addEvents(program: Command): void {
  addVerb(
    program,
    'events',
    'print the events of all containers of the node, past ones first, then new ones; --json prints CloudEvents, one per line',
  )
    .option('--since <time>', 'only print events from this time on, or of this last duration, such as 10m', (text) => parseTime(text))
    .option('--filter <key=value>', 'only print events with this type, id, namespace or node; may be repeated', addFilter, {})
    .option('--no-follow', 'exit after the past events')
    .action(async ({since, filter, follow}: EventsFlags, command: Command) => {
      const options = resolveNodeOptions(command)
      await using client = await connect(options)
      const reader = client.reader({
        filter: {node: client.node, ...filter},
        follow,
        ...(since && {from: {time: since}}),
        onOther: () => printNote('the stream is not the one that was read so far: reading it again, for what is new in it'),
      })
      await withReconnect(client, async () => {
        for await (const {event} of reader.read(client.connection)) {
          if (options.json) printJsonLine(toCloudEvent(event))
          else console.log(formatEvent(event))
        }
        if (follow) throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
      })
    })
}

/** Keys and values are checked here: with a misspelt one the command would wait for ever. */
export function addFilter(text: string, before: Filter): Filter {
  const [key = '', value = ''] = text.split(/=(.*)/s)
  switch (key) {
    case 'type': {
      const type = value.replace(/^io\.tallyman\./, '')
      if (!isEventType(type))
        throw new InvalidArgumentError(`expected a type of ${Object.keys(eventSchemas).join(', ')}, got ${JSON.stringify(value)}`)
      return {...before, type}
    }
    case 'id':
    case 'namespace':
    case 'node':
      if (!isId(value)) throw new InvalidArgumentError(`expected ${key} to be ${idRule}, got ${JSON.stringify(value)}`)
      return {...before, [key]: value}
    default:
      throw new InvalidArgumentError(`expected type=…, id=…, namespace=… or node=…, got ${JSON.stringify(text)}`)
  }
}

/** `2026-01-02T03:04:05.678Z  default/web  3  container.exited  code 7  (supervisor)` */
export function formatEvent(event: LedgerEvent): string {
  const address = parseSource(event.source)
  const where = address ? `${address.namespace}/${address.id}` : event.source
  return [event.time, where, event.sequence, event.type, formatData(event), `(${event.actor})`].filter((part) => part !== '').join('  ')
}

function formatData(event: LedgerEvent): string {
  switch (event.type) {
    case 'container.create-requested':
      return 'args' in event.data.request ? event.data.request.args.join(' ') : event.data.request.bundle
    case 'container.created':
      return event.data.init ? `init ${event.data.init.pid}` : 'from a checkpoint'
    case 'container.started':
      return event.data.init ? `init ${event.data.init.pid}` : ''
    case 'container.checkpoint-requested':
      return `${event.data.checkpoint.image}${event.data.checkpoint.leaveRunning ? ', left running' : ''}`
    case 'container.checkpointed':
      return event.data.image
    case 'container.update-requested':
    case 'container.updated':
      return formatLimits(event.data.limits)
    case 'container.oom':
      return `${event.data.killed} killed so far, ${event.data.cgroup}`
    case 'container.exited':
      return `${event.data.exit.type === 'code' ? 'code ' : ''}${formatExit(event.data.exit)}${event.data.oomKilled ? ', OOM' : ''}`
    case 'container.create-failed':
    case 'container.start-failed':
    case 'container.kill-failed':
    case 'container.pause-failed':
    case 'container.resume-failed':
    case 'container.checkpoint-failed':
    case 'container.update-failed':
    case 'container.delete-failed':
      return `${event.data.error.code}: ${event.data.error.message}`
    case 'container.kill-requested':
      return event.data.all ? `${event.data.signal} to all` : event.data.signal
    case 'container.signalled':
      return event.data.signal
    case 'container.stop-requested':
      return `${event.data.signal}, SIGKILL at ${event.data.dueAt}`
    case 'container.delete-requested':
      return event.data.reason ?? (event.data.force ? 'by force' : '')
    case 'container.resized':
      return `${event.data.columns} by ${event.data.rows}`
    case 'container.health-changed':
      return `${event.data.status}${event.data.output === '' ? '' : `: ${JSON.stringify(event.data.output.trimEnd().slice(0, 80))}`}`
    case 'container.restart-scheduled':
      return `attempt ${event.data.attempt} at ${event.data.dueAt}`
    case 'container.restart-gave-up':
      return `after ${event.data.attempts} attempts`
    case 'exec.added':
      return `${event.data.exec}: ${event.data.spec.args.join(' ')}`
    case 'exec.started':
      return `${event.data.exec}: process ${event.data.process.pid}`
    case 'exec.exited':
      return `${event.data.exec}: ${event.data.exit.type === 'code' ? 'code ' : ''}${formatExit(event.data.exit)}`
    case 'exec.start-failed':
    case 'exec.kill-failed':
      return `${event.data.exec}: ${event.data.error.code}: ${event.data.error.message}`
    case 'exec.kill-requested':
    case 'exec.signalled':
      return `${event.data.exec}: ${event.data.signal}`
    case 'exec.resized':
      return `${event.data.exec}: ${event.data.columns} by ${event.data.rows}`
    case 'exec.delete-requested':
      return `${event.data.exec}${event.data.reason === undefined ? '' : `: ${event.data.reason}`}`
    case 'exec.start-requested':
    case 'exec.stdin-closed':
    case 'exec.deleted':
      return event.data.exec
    case 'supervisor.gave-up':
      return `${event.data.deaths} supervisors died within ${event.data.periodMs / 1_000} s`
    case 'supervisor.republished':
      return `from ${event.data.from} on, ${event.data.missing} missing, ${event.data.removed} removed`
    case 'supervisor.adopted':
      return `supervisor ${event.data.supervisorPid}: ${event.data.found}`
    default:
      return ''
  }
}
