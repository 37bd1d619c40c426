/** Text for people: states, ages, tables. */
import Table from 'cli-table3'
import type {Limits} from '../../machines/schemas/limits.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import type {ContainerView} from '../../machines/views/view.ts'

const steps = [
  {unit: 'second', ms: 1_000},
  {unit: 'minute', ms: 60_000},
  {unit: 'hour', ms: 3_600_000},
  {unit: 'day', ms: 86_400_000},
  {unit: 'week', ms: 604_800_000},
] as const

/** `1 second`, `5 minutes`: the largest unit of which there are at least two, but seconds from the first. */
export function formatDuration(ms: number): string {
  const {unit, ms: unitMs} = steps.findLast((step) => ms >= 2 * step.ms) ?? steps[0]
  const count = Math.max(0, Math.floor(ms / unitMs))
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export function formatAge(time: string, now: number): string {
  return `${formatDuration(now - Date.parse(time))} ago`
}

export function formatExit(exit: ProcessExit): string {
  switch (exit.type) {
    case 'code':
      return String(exit.code)
    case 'signal':
      return exit.coreDumped ? `${exit.signal}, core dumped` : exit.signal
    case 'lost':
      return `lost: ${exit.reason}`
  }
}

/** `Up 5 minutes`, `Exited (7) 3 seconds ago`. */
export function formatStatus(view: ContainerView, now: number): string {
  return `${formatLife(view, now)}${view.unsupervised ? ', unsupervised' : ''}`
}

function formatLife(view: ContainerView, now: number): string {
  const {state, since, stop, exit, startedAt, pausedAt, error} = view
  const forHow = formatDuration(now - Date.parse(since))
  const oom = formatOom(view)
  switch (state) {
    case 'running':
      return `Up ${startedAt ? formatDuration(now - Date.parse(startedAt)) : forHow}${pausedAt ? ' (Paused)' : ''}${view.health ? ` (${view.health.status})` : ''}${oom}${stop ? ', stopping' : ''}${formatInFlight(view, now)}`
    case 'stopped':
      if (hasEndedWithCheckpoint(view)) return `Checkpointed ${forHow} ago`
      return `Exited (${exit ? formatExit(exit) : 'unknown'}${oom}) ${forHow} ago`
    case 'waiting':
      return `Restarting (${exit ? formatExit(exit) : 'unknown'}${oom}) ${formatDue(view, now)}`
    case 'failed':
      return `Failed (${error?.code ?? 'unknown'}) ${forHow} ago`
    case 'created':
      return `Created${formatInFlight(view, now)}`
    default:
      return `${state[0]?.toUpperCase()}${state.slice(1)} for ${forHow}`
  }
}

function formatDue({restartDueAt}: ContainerView, now: number): string {
  const inMs = restartDueAt === undefined ? 0 : Date.parse(restartDueAt) - now
  return inMs > 0 ? `in ${formatDuration(inMs)}` : 'now'
}

/** A checkpoint without --leave-running kills init. */
function hasEndedWithCheckpoint({checkpoint, exit}: ContainerView): boolean {
  return checkpoint?.leaveRunning === false && exit?.type === 'signal' && exit.signal === 'SIGKILL'
}

/** An effect that is under way in this state, and for how long. */
function formatInFlight({inFlight}: ContainerView, now: number): string {
  return inFlight ? `, ${inFlight.state} for ${formatDuration(now - Date.parse(inFlight.since))}` : ''
}

/** Whether init was killed because memory ran out, or how many other processes were. */
function formatOom({oomKilled, oomKills}: ContainerView): string {
  if (oomKilled) return ', OOM'
  return oomKills ? `, OOM killed ${oomKills}` : ''
}

/** `memoryBytes 67108864, cpus none`. */
export function formatLimits(limits: Limits): string {
  return Object.entries(limits)
    .map(([name, limit]) => `${name} ${limit ?? 'none'}`)
    .join(', ')
}

export function formatCommand(args: readonly string[], width = 40): string {
  const text = args.map((arg) => (/[^\w@%+=:,./-]/.test(arg) || arg === '' ? JSON.stringify(arg) : arg)).join(' ')
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

const noBorders = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
)

export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({head: [...head], chars: noBorders, style: {'padding-left': 0, 'padding-right': 3, head: [], border: []}})
  for (const row of rows) table.push([...row])
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
