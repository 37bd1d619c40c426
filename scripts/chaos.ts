/** Kills processes of a node, systematically and at random, and counts what was lost of its containers. See docs/reliability.md. */
import {runSystematicChaos} from '../test/chaos/chaos.ts'
import {countFaults, toTable} from '../test/chaos/tally.ts'

const began = Date.now()
const onProgress = (text: string) => console.error(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`)
const only = process.argv[2]
const tally = await runSystematicChaos({
  atOnce: 8,
  onProgress,
  choose: (cases) => cases.filter(({scenario, kind, what}) => !only || [scenario.name, kind].includes(only) || what.includes(only)),
})
for (const finding of tally.findings) console.error(finding)
console.log(toTable(tally))
process.exitCode = countFaults(tally) === 0 ? 0 : 1
