/** Linux signals by name and number (signal(7)), as on x86-64, arm64 and riscv64. Real-time signals begin with SIGRTMIN = 34. */
import * as z from 'zod'

export const signalNumbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const satisfies Record<string, number>
const firstRealTime = 34
const lastRealTime = 64

export type SignalName = keyof typeof signalNumbers | `SIGRTMIN+${number}`

const namesByNumber = new Map<number, SignalName>(Object.entries(signalNumbers).map(([name, number]) => [number, name as SignalName]))

/** The name of a signal number; 34 to 64 are `SIGRTMIN+n`. */
export function toSignalName(number: number): SignalName | undefined {
  if (number >= firstRealTime && number <= lastRealTime) return `SIGRTMIN+${number - firstRealTime}`
  return namesByNumber.get(number)
}

export function toSignalNumber(name: SignalName): number {
  const realTime = /^SIGRTMIN\+(\d+)$/.exec(name)
  return realTime ? firstRealTime + Number(realTime[1]) : signalNumbers[name as keyof typeof signalNumbers]
}

/** Accepts what kill(1) and docker accept: `SIGTERM`, `term`, `15`, `RTMIN+3`. */
export function parseSignal(text: string): SignalName | undefined {
  if (/^\d+$/.test(text)) return toSignalName(Number(text))
  const name = text.toUpperCase().startsWith('SIG') ? text.toUpperCase() : `SIG${text.toUpperCase()}`
  return isSignalName(name) ? name : undefined
}

export function isSignalName(value: string): value is SignalName {
  const realTime = /^SIGRTMIN\+(\d{1,2})$/.exec(value)
  if (realTime) return Number(realTime[1]) <= lastRealTime - firstRealTime
  return Object.hasOwn(signalNumbers, value)
}

export const signalNameSchema = z.custom<SignalName>((value) => typeof value === 'string' && isSignalName(value), {
  error: (issue) => `expected a signal name such as SIGTERM, got ${JSON.stringify(issue.input)}`,
})
