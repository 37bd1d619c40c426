/** Kills processes of a node, at every position and at random, and counts what was lost. See docs/chaos.md. */
import {parseArgs} from 'node:util'
import {runSystematicChaos} from '../test/chaos/chaos.ts'
import {runOutage} from '../test/chaos/outage.ts'
import {runRandomChaos} from '../test/chaos/random-chaos.ts'
import {countFaults, type Tally, toTable} from '../test/chaos/tally.ts'

const {values} = parseArgs({
  options: {
    seed: {type: 'string', default: String(Date.now() % 1_000_000)},
    faults: {type: 'string', default: '1000'},
    containers: {type: 'string', default: '200'},
    'at-once': {type: 'string', default: '12'},
    /** `systematic`, `random` or `outage`; the first two when absent. */
    only: {type: 'string'},
    /** Systematic: only cases with this text in their scenario, kind or position. */
    cases: {type: 'string', default: ''},
    /** Duration of the outage. */
    minutes: {type: 'string', default: '5'},
  },
})
const [seed, faults, containers, atOnce] = [values.seed, values.faults, values.containers, values['at-once']].map(Number)
if (![seed, faults, containers, atOnce].every(Number.isSafeInteger)) throw new Error('expected whole numbers')
const began = Date.now()
const onProgress = (text: string) => console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}`)

if (values.only === 'outage')
  report(
    `nats-server away for ${values.minutes} minutes`,
    await runOutage({minutes: Number(values.minutes), containers: containers ?? 0, onProgress}),
  )
if (values.only === undefined || values.only === 'systematic')
  report(
    'Systematic',
    await runSystematicChaos({
      atOnce: atOnce ?? 0,
      onProgress,
      choose: (cases) => cases.filter(({scenario, kind, what}) => `${scenario.name} ${kind} ${what}`.includes(values.cases)),
    }),
  )
if (values.only === undefined || values.only === 'random')
  report(
    `Random, seed ${seed}`,
    await runRandomChaos({seed: seed ?? 0, faults: faults ?? 0, containers: containers ?? 0, atOnce: atOnce ?? 0, onProgress}),
  )

function report(name: string, tally: Tally): void {
  for (const finding of tally.findings) onProgress(finding)
  console.log(`### ${name}, ${new Date(began).toISOString().slice(0, 10)}\n\n${toTable(tally)}`)
  if (countFaults(tally) > 0) process.exitCode = 1
}
