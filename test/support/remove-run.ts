/** Removes what a test run left behind whose runner was killed or interrupted: processes, containers, mounts, groups, directories. */
import {globSync, readFileSync, readlinkSync} from 'node:fs'
import {basename, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {listProcesses} from '../../src/linux/process-table.ts'
import {isRunning, listCgroups, listMembers, readProcFile, usesDirectory} from './proc.ts'
import {killProcess, removeDirectory, removeGroup, thawGroup} from './sweep.ts'
import {isRunAlive, listRunDirectories, runVariable, type TestRun} from './test-run.ts'

const patienceMs = 30_000

/** All of every run whose runner has ended. What other runs have is not touched. */
export async function removeDeadRuns(): Promise<void> {
  const runs = new Set([...listRunDirectories().map(({run}) => run), ...listProcesses().flatMap((pid) => readRun(pid) ?? [])])
  for (const run of runs) if (!isRunAlive(run)) await removeRun(run)
}

/** All of one run, whose runner has ended. */
export async function removeRun(run: TestRun): Promise<void> {
  const dirs = listRunDirectories().flatMap((directory) => (directory.run === run ? [directory.path] : []))
  const suffixes = listGroupSuffixes(dirs)
  const groups = () => listCgroups('tally-').filter((path) => suffixes.has(basename(path).slice(-8)) || path.includes(`-${run}-`))
  const isLeft = (pid: number) => isRunning(pid) && (readRun(pid) === run || (dirs.length > 0 && usesDirectory(pid, dirs)))
  for (const giveUpAt = Date.now() + patienceMs; Date.now() < giveUpAt; await sleep(50)) {
    const left = new Set([...listProcesses().filter(isLeft), ...groups().flatMap(listMembers)])
    left.delete(process.pid)
    if (left.size === 0) break
    for (const group of groups()) thawGroup(group)
    for (const pid of left) killProcess(pid)
  }
  for (const group of groups()) removeGroup(group)
  for (const dir of dirs) removeDirectory(dir)
}

/** The run that a process belongs to. Pids of another pid namespace mean other processes, so its runs are not judged here. */
function readRun(pid: number): TestRun | undefined {
  const [, run] = new RegExp(`(?:^|\0)${runVariable}=([^\0]+)`).exec(readProcFile(`/proc/${pid}/environ`)) ?? []
  return run !== undefined && readPidNamespace(pid) === readPidNamespace('self') ? run : undefined
}

function readPidNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** How the names of the containers' groups end: with the beginning of the container's uid, which is in the first line of its journal. */
function listGroupSuffixes(dirs: readonly string[]): ReadonlySet<string> {
  const journals = dirs.flatMap((dir) => globSync('**/containers/*/*/journal.jsonl', {cwd: dir}).map((path) => join(dir, path)))
  return new Set(journals.flatMap((path) => /"id":"([^":]{8})[^":]*:\d+"/.exec(readFileSync(path, 'utf8'))?.[1] ?? []))
}
