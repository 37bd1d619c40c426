/** To one process, which has to be known: pid 0 would be the test runner's own group. @throws Error for none */
export function sendSignal(pid: number | null | undefined, signal: NodeJS.Signals): void {
  if (!pid) throw new Error(`expected a process to send ${signal} to, got ${pid}`)
  process.kill(pid, signal)
}
