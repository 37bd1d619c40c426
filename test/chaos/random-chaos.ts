/** Runs containers of all scenarios, several at a time, while processes of the node are killed at random times. */
import {setTimeout as sleep} from 'node:timers/promises'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {readStream, withLeftovers} from './chaos.ts'
import {startChaosNode} from './chaos-node.ts'
import {collectEvidence} from './evidence.ts'
import {createFaults, type Faults, type Killed} from './faults.ts'
import {createRandom, type Random} from './random.ts'
import {judge, type Run, runContainer} from './run-container.ts'
import {type Pace, type Scenario, scenarios} from './scenarios.ts'
import {killClient} from './systematic.ts'
import {addTallies, countInjected, emptyTally, type Tally} from './tally.ts'

export interface RandomChaos {
  readonly seed: number
  readonly faults: number
  readonly containers: number
  readonly atOnce: number
  readonly onProgress: (text: string) => void
}

const progressMs = 10_000
/** The pause between two faults. */
const pause = {leastMs: 50, mostMs: 450} as const

export async function runRandomChaos({seed, faults: wanted, containers, atOnce, onProgress}: RandomChaos): Promise<Tally> {
  const node = await startChaosNode()
  const faults = createFaults(node, createRandom(seed))
  const plans = planContainers(createRandom(seed + 1), containers)
  const killed: Killed[] = []
  const runs: Run[] = []
  let tally = emptyTally
  let begun = 0
  const progress = setInterval(
    () => onProgress(`${countInjected(tally)} of ${wanted} faults; ${runs.length} of ${containers} containers`),
    progressMs,
  )
  try {
    await Promise.all([inject(), ...Array.from({length: atOnce}, liveOn)])
    await faults.recovered()
    const events = await readStream(node)
    const isExcused = createExcuse(killed, faults)
    tally = runs.map((run) => judge(run, events, isExcused)).reduce(addTallies, tally)
    return await withLeftovers(node, tally)
  } catch (error) {
    await node.close()
    throw error
  } finally {
    clearInterval(progress)
  }

  async function inject(): Promise<void> {
    const pauses = createRandom(seed + 2)
    while (countInjected(tally) < wanted && runs.length < containers) {
      await sleep(pauses.between(pause.leastMs, pause.mostMs))
      const one = await faults.inject()
      if (!one) continue
      killed.push(one)
      tally = addTallies(tally, {faults: {[one.kind]: 1}})
    }
  }

  /** Runs one container after the other, in proportion to the faults injected so far. */
  async function liveOn(): Promise<void> {
    for (;;) {
      const index = begun
      const plan = plans[index]
      if (!plan) return
      if (index > atOnce && index > (countInjected(tally) / wanted) * containers) {
        await sleep(50)
        continue
      }
      begun += 1
      const {scenario, pace, clientKilledAfterMs} = plan
      const id = `r${index}`
      const run = await runContainer({
        node,
        id,
        what: 'random',
        scenario,
        pace,
        patienceMs: 120_000,
        ...(clientKilledAfterMs !== undefined && {before: () => runAndKill(id, plan, clientKilledAfterMs)}),
      })
      runs.push(run)
      if (run.stuck === undefined) continue
      onProgress(`stuck: ${id} (${scenario.name}): ${run.stuck}`)
      for (const line of collectEvidence(node, id)) onProgress(`  ${line}`)
    }
  }

  async function runAndKill(id: string, {scenario, pace}: Plan, afterMs: number): Promise<void> {
    await killClient(node, ['run', '--name', id, '--rootfs', node.rootfs, '--', ...scenario.request(pace).args], afterMs)
    tally = addTallies(tally, {faults: {client: 1}})
  }
}

interface Plan {
  readonly scenario: Scenario
  readonly pace: Pace
  /** If set, `tally run` creates the container and is killed after this time. */
  readonly clientKilledAfterMs: number | undefined
}

function planContainers(random: Random, count: number): readonly Plan[] {
  return Array.from({length: count}, () => {
    const scenario = random.pick(scenarios) ?? scenarios[0]
    const pace = {lines: Math.floor(random.between(20, 200)), restSeconds: Number(random.between(0.05, 0.8).toFixed(2))}
    const [isRun, afterMs] = [random.next() < 0.15, random.between(100, 600)]
    if (!scenario) throw new Error('there are scenarios')
    return {scenario, pace, clientKilledAfterMs: isRun && scenario.name === 'exit' ? afterMs : undefined}
  })
}

/** How long a new supervisor may take to journal what it has found. */
const adoptionMs = 15_000

/** Whether shim and coordinator were dead together when a process ended: then its status and waiting output may be lost. */
function createExcuse(killed: readonly Killed[], {outages}: Pick<Faults, 'outages'>): (exited: LedgerEvent) => boolean {
  return ({source, time}) => {
    const at = Date.parse(time)
    const deaths = killed.filter(({kind, id}) => kind === 'shim' && source.endsWith(`/${id}`))
    return deaths.some(({atMs}) =>
      outages.some(({fromMs, toMs}) => {
        const from = Math.max(atMs, fromMs)
        return from <= toMs && atMs <= toMs && from <= at && at <= toMs + adoptionMs
      }),
    )
  }
}
