/** Processes of the OCI runtime: running calls, and processes in containers before they execute their program. */
import {readFileSync} from 'node:fs'
import {basename, join} from 'node:path'

/** Whether a process has not executed its program yet, by its name: execve(2) changes it, and a zombie keeps its last one. */
export function isRuntimes(pid: number, binary: string): boolean {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()
    return name.startsWith('runc:[') || name === 'crun' || name === basename(binary).slice(0, 15)
  } catch {
    // The process cannot be read: then it counts as not executed.
    return true
  }
}

/** Recognised by the log file of the call, which is in the directory of the container. */
export function isCallOf(pid: number, logDir: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0--log\0${join(logDir, 'runc-')}`)
  } catch {
    return false
  }
}

/** A process that has ended is ignored. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}
