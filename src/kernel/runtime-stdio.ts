/** What a runtime is given as a process's 0, 1 and 2: three descriptors, or a socket to which it sends the master of the terminal that it makes. */
export type RuntimeStdio =
  | {readonly type: 'pipes'; readonly fds: readonly [stdin: number, stdout: number, stderr: number]}
  | {readonly type: 'terminal'; readonly consoleSocket: string}
