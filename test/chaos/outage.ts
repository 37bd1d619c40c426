/** An external nats-server is down while containers exit: afterwards their events and exits must be complete, and memory bounded. */
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {parseLedgerEvent} from '../../machines/ledger/cloud-event.ts'
import {listProcesses} from '../../src/linux/process-table.ts'
import {startNatsServer} from '../support/nats-server.ts'
import {readStream, withLeftovers} from './chaos.ts'
import {type ChaosNode, startChaosNode} from './chaos-node.ts'
import {judge, type Run, runContainer} from './run-container.ts'
import type {Pace, Scenario} from './scenarios.ts'
import {addTallies, emptyTally, type Tally} from './tally.ts'

export interface Outage {
  readonly minutes: number
  readonly containers: number
  readonly onProgress: (text: string) => void
}

const pace: Pace = {lines: 20, restSeconds: 0.05}
const startedPatienceMs = 300_000

export async function runOutage({minutes, containers, onProgress}: Outage): Promise<Tally> {
  await using nats = await startNatsServer()
  const {user, password} = nats.credentials
  const node = await startChaosNode({upArgs: ['--nats', nats.url, '--user', user], env: {TALLY_PASSWORD: password}})
  const ids = Array.from({length: containers}, (_, index) => `o${index}`)
  const scenario = createScenario(join(node.rootfs, 'tmp/go'))
  const patienceMs = startedPatienceMs + minutes * 120_000
  const runs = Promise.all(ids.map((id) => runContainer({node, id, what: 'outage', scenario, pace, patienceMs})))
  await untilAll(ids, (id) => hasHappened(node, id, 'container.started'))
  const before = readSupervisorBytes(node)
  onProgress(`${ids.length} containers run; nats-server is killed for ${minutes} minutes`)
  await nats.kill()
  scenario.letGo()
  await Promise.all([sleep(minutes * 60_000), untilAll(ids, (id) => hasHappened(node, id, 'container.exited'))])
  const growth = readSupervisorBytes(node).map((bytes, index) => bytes - (before[index] ?? bytes))
  onProgress(`all have exited; a supervisor has grown by at most ${(Math.max(...growth) / 2 ** 20).toFixed(1)} MiB; nats-server comes back`)
  await nats.restart()
  const ended: readonly Run[] = await runs
  const events = await readStream(node)
  const tally = ended.map((run) => judge(run, events)).reduce(addTallies, addTallies(emptyTally, {faults: {'nats-server': 1}}))
  return await withLeftovers(node, tally)
}

/** The program ends when a file appears in its root file system. */
function createScenario(gate: string): Scenario & {readonly letGo: () => void} {
  return {
    name: 'exit when told',
    request: ({lines}) => ({
      args: [
        'sh',
        '-c',
        `until [ -e /tmp/go ]; do sleep 0.5; done; i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i"; echo "line $i" >&2; done; exit 7`,
      ],
    }),
    lines: ({lines}) => lines,
    exit: {type: 'code', code: 7},
    live: async (actor) => {
      await actor.start()
      await actor.hasStopped()
      await actor.delete()
    },
    letGo: () => writeFileSync(gate, ''),
  }
}

async function untilAll(ids: readonly string[], isSo: (id: string) => boolean): Promise<void> {
  for (const giveUpAt = Date.now() + startedPatienceMs; !ids.every(isSo); await sleep(500))
    if (Date.now() > giveUpAt) throw new Error(`expected all containers to get there within ${startedPatienceMs} ms`)
}

function hasHappened({stateDir, namespace}: ChaosNode, id: string, type: string): boolean {
  try {
    const lines = readFileSync(join(stateDir, 'containers', namespace, id, 'journal.jsonl'), 'utf8')
      .split('\n')
      .slice(0, -1)
    return lines.some((line) => parseLedgerEvent(line).type === type)
  } catch {
    return false
  }
}

/** The private memory of each supervisor, in the order of their pids. */
function readSupervisorBytes({namespace}: ChaosNode): readonly number[] {
  return listProcesses().flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`tally-supervisor ${namespace}/`)) return []
      return [Number(/^Private_Dirty:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024]
    } catch {
      return []
    }
  })
}
