/** Runs one container through one scenario, and later checks its events, exits and output. */
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import {createActor, type Seen} from './actor.ts'
import type {ChaosNode} from './chaos-node.ts'
import {checkEvents} from './check-events.ts'
import {checkLines} from './check-lines.ts'
import {execExit, type Pace, type Scenario, toLines} from './scenarios.ts'
import {addTallies, emptyTally, type Tally} from './tally.ts'

export interface Run {
  readonly id: string
  readonly what: string
  readonly scenario: Scenario
  readonly pace: Pace
  readonly seen: Seen
  /** Why the scenario did not finish; undefined when it did. */
  readonly stuck: string | undefined
  readonly tookMs: number
}

export interface RunOptions {
  readonly node: ChaosNode
  readonly id: string
  /** A description of the fault, for the findings. */
  readonly what: string
  readonly scenario: Scenario
  readonly pace: Pace
  /** A runtime other than runc. */
  readonly runtime?: string | undefined
  /** Called before the first command. */
  readonly before?: () => Promise<void>
  readonly patienceMs?: number
}

export async function runContainer({node, id, what, scenario, pace, runtime, before, patienceMs = 60_000}: RunOptions): Promise<Run> {
  const request = {...scenario.request(pace), rootfs: node.rootfs, ...(runtime !== undefined && {runtime: {binary: runtime}})}
  const wholeBytes = toLines(scenario.lines(pace) ?? 0).length
  const {actor, seen} = createActor({node, id, request, wholeBytes, patienceMs})
  const begun = Date.now()
  const toRun = (stuck?: string): Run => ({id, what, scenario, pace, seen, stuck, tookMs: Date.now() - begun})
  try {
    await before?.()
    await actor.create()
    await scenario.live(actor, pace)
    return toRun()
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? ` (${String(error.cause)})` : ''
    return toRun(`${error instanceof Error ? error.message : String(error)}${cause}`)
  }
}

/**
 * @param events of all containers, in the order of the stream
 * @param isExcused whether coordinator and supervisor were dead together when a process ended
 */
export function judge(run: Run, events: readonly LedgerEvent[], isExcused: (exited: LedgerEvent) => boolean = () => false): Tally {
  const {id, what, scenario, pace, seen, stuck} = run
  const about = (text: string) => `${id} (${scenario.name}, ${what}): ${text}`
  if (stuck !== undefined) return addTallies(emptyTally, {containers: 1, stuck: 1, findings: [about(stuck)]})
  const own = events.filter(({source}) => source.endsWith(`/${id}`))
  const uids = [...new Set(own.map(({uid}) => uid))]
  const journal = seen.journal.map(parseLedgerEvent)
  const stories = uids.map((uid) => own.filter((event) => event.uid === uid))
  const ofEvents = stories.map((story) => {
    const faults = checkEvents(
      story,
      journal.filter(({uid}) => uid === story[0]?.uid),
    )
    return {
      events: story.length,
      eventsMissing: faults.missing.length,
      eventsDoubled: faults.doubled.length,
      eventsOutOfOrder: faults.outOfOrder.length,
      findings: [
        ...faults.missing.map((fault) => about(`missing ${fault}`)),
        ...faults.doubled.map((fault) => about(`doubled ${fault}`)),
        ...faults.outOfOrder.map((fault) => about(`out of order: ${fault}`)),
      ],
    }
  })
  const last = stories.at(-1) ?? []
  const types = last.map(({type}) => type)
  // The program never ran: the process that ended is the init of the runtime.
  const isUnstarted = types.includes('container.start-failed') && !types.includes('container.started')
  const expected = isUnstarted ? [unstartedExit, scenario.exit] : [scenario.exit]
  const exits = last.map((event) => judgeExit(event, expected, isExcused, (text) => about(`${text}, in ${types.join(', ')}`)))
  const noExit =
    scenario.exit && !last.some(({type}) => type === 'container.exited') ? [{eventsMissing: 1, findings: [about('no exit')]}] : []
  const lines = isUnstarted ? undefined : scenario.lines(pace)
  const ends = last.filter((event) => event.type === 'container.exited' || event.type === 'exec.exited')
  const written = ends.flatMap((end) => {
    const exec = end.type === 'exec.exited' ? end.data.exec : undefined
    const text = exec === undefined ? seen.written : seen.execs.get(exec)
    const count = exec === undefined ? lines : pace.lines
    return count === undefined
      ? []
      : streams.map((stream) => judgeLines(text?.[stream] ?? '', count, isExcused(end), `${stream} of ${exec ?? 'init'}`, about))
  })
  const execs = ends.filter(({type}) => type === 'exec.exited')
  return [...ofEvents, ...exits, ...noExit, ...written].reduce(addTallies, {...emptyTally, containers: 1, execs: execs.length})
}

/** The status of runc's init when runc is killed just as it lets init execute the program (runc 1.1). */
const unstartedExit: ProcessExit = {type: 'code', code: 1}

const streams = ['stdout', 'stderr'] as const

function judgeLines(text: string, count: number, isExcused: boolean, whose: string, about: (text: string) => string): Partial<Tally> {
  const {lost, doubled} = checkLines(text, count)
  if (isExcused && doubled === 0) return {lines: count, linesLostWithBoth: lost}
  const findings = lost + doubled > 0 ? [about(`${whose}: ${lost} lines lost, ${doubled} doubled`)] : []
  return {lines: count, linesLost: lost, linesDoubled: doubled, findings}
}

function judgeExit(
  event: LedgerEvent,
  ofInit: readonly (ProcessExit | undefined)[],
  isExcused: (exited: LedgerEvent) => boolean,
  about: (text: string) => string,
): Partial<Tally> {
  if (event.type !== 'container.exited' && event.type !== 'exec.exited') return {}
  const expected = event.type === 'exec.exited' ? [execExit] : ofInit
  const {exit} = event.data
  if (exit.type === 'lost')
    return isExcused(event) ? {exitsLostWithBoth: 1} : {exitsLost: 1, findings: [about(`${event.type} lost: ${exit.reason}`)]}
  if (expected.some((one) => one && isSame(exit, one))) return {exitsRight: 1}
  return {exitsWrong: 1, findings: [about(`${event.type} ${JSON.stringify(exit)} instead of ${JSON.stringify(expected.at(-1))}`)]}
}

function isSame(a: ProcessExit, b: ProcessExit): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
