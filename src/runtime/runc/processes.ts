/** Processes of the runtime: calls of it, and those in containers that have not executed anything else yet. */
import {readFileSync} from 'node:fs'
import {basename, join} from 'node:path'

/** Whether a process is the runtime's own still, by its name: execve(2) gives it that of the program, and a zombie keeps it. */
export function isRuntimes(pid: number, binary: string): boolean {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()
    return name.startsWith('runc:[') || name === 'crun' || name === basename(binary).slice(0, 15)
  } catch {
    // Nobody knows: then it has not.
    return true
  }
}

/** Each call has a log of its own, in the directory of its container. */
export function isCallOf(pid: number, logDir: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0--log\0${join(logDir, 'runc-')}`)
  } catch {
    return false
  }
}

/** It may have ended since it was listed. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}
