/** How a shim is started that starts a coordinator, and starts it again when it has died. */
import {join} from 'node:path'
import {shimProgram} from './program.ts'

/** An argument of the coordinator: descriptor 3 is the socket to its shim. */
export const beneathShim = '--shim'

/**
 * The first start after a death comes at once, the next after 50 ms, then after twice as long each time: one that dies at once is given up
 * after half a minute; one that is killed ten times within a minute is not.
 */
const restarts = {most: 10, periodMs: 60_000, delayMs: 50} as const

/** The coordinator has back what was there before (docs/shim.md). */
const oomScoreAdj = -999

/**
 * With `--terminate` the coordinator gets the shim's SIGTERM, and the shim ends with it.
 * @param dist the directory of the built programs
 * @param node the program Node.js, and its options
 */
export function toShimCommand(dist: string, node: readonly string[]): readonly [string, ...string[]] {
  return [
    shimProgram(dist),
    '--terminate',
    '--restarts',
    `${restarts.most}/${restarts.periodMs}`,
    '--delay',
    String(restarts.delayMs),
    '--oom-score-adj',
    String(oomScoreAdj),
    '--',
    ...toCoordinatorCommand(dist, node),
  ]
}

/** What the shim starts. */
export function toCoordinatorCommand(dist: string, node: readonly string[]): readonly string[] {
  return [...node, join(dist, 'coordinator.js'), beneathShim]
}
