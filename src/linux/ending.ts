/** Whether a process is ending (proc(5)). */
import {readFileSync} from 'node:fs'

const exitingFlag = 0x4
const killBit = 1n << 8n

/** True from the moment in which SIGKILL is sent to it, while its memory is being freed, and when it is gone. */
export function isEnding(pid: number): boolean {
  try {
    return isEndingStat(readFileSync(`/proc/${pid}/stat`, 'utf8')) || isKilledStatus(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

/** A zombie, or PF_EXITING (include/linux/sched.h) in the flags, field 9. @param stat text of /proc/<pid>/stat */
export function isEndingStat(stat: string): boolean {
  const [state = '', , , , , , flags = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return 'ZXx'.includes(state) || (Number(flags) & exitingFlag) !== 0
}

/** SIGKILL is pending for the process or its first thread. @param status text of /proc/<pid>/status */
export function isKilledStatus(status: string): boolean {
  return [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)].some(([, mask]) => (BigInt(`0x${mask}`) & killBit) !== 0n)
}
