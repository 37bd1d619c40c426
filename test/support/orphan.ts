import {execFileSync} from 'node:child_process'
import {becomeChildSubreaper} from '../../src/linux/subreaper.ts'

/** Begins when the parent has died, which might reap it before. */
const orphan = 'while read -r _ _ _ parent _ < /proc/$$/stat && [ "$parent" = "$FORMER" ]; do :; done; eval "$SCRIPT"'
const parent = `FORMER=$$ sh -c '${orphan}' </dev/null >/dev/null 2>&1 & echo $!`

/**
 * Runs a shell script as a child of this process that Node knows nothing of: its parent has died, and this process is the
 * subreaper. Only the test reaps it.
 * @returns its pid
 */
export function spawnOrphan(script: string): number {
  becomeChildSubreaper()
  return Number(execFileSync('sh', ['-c', parent], {encoding: 'utf8', env: {...process.env, SCRIPT: script}}))
}

export function spawnSleepingOrphan(): number {
  return spawnOrphan('exec sleep 1000')
}
