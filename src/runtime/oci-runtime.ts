import type {CheckpointSpec, RestoreSpec} from '../../machines/schemas/checkpoint.ts'
import type {SignalName} from '../../machines/schemas/signals.ts'
import type {OciLimits} from './spec/oci-spec.ts'
import type {RuntimeStdio} from '../kernel/runtime-stdio.ts'

/**
 * The OCI runtime as the supervisor sees it. Every call has a deadline and is one process start. Errors are
 * `TallyError`s of the table, never the runtime's raw text alone.
 */
export interface OciRuntime {
  /** Makes the container, init waiting for start. When this rejects, nothing of the container is left. Not idempotent. */
  create(options: RuntimeCreateOptions): Promise<{readonly pid: number}>
  /**
   * Lets init execute the user's program.
   * @param init without, it is not looked at whether the kernel executes it
   * @throws TallyError COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE: init has ended, or is about to
   */
  start(id: string, init?: RuntimeInit): Promise<void>
  /** Starts one more process in a container; it becomes a child of the nearest subreaper. When this rejects, it was not started. */
  exec(options: RuntimeExecOptions): Promise<{readonly pid: number}>
  /** Sends a signal to init. A container that has ended is RUNC_KILL_FAILED. */
  kill(id: string, signal: SignalName): Promise<void>
  /** Freezes every process of the container. What is frozen already is RUNC_PAUSE_FAILED. */
  pause(id: string): Promise<void>
  /** Lets them run again. What is not frozen is RUNC_RESUME_FAILED. */
  resume(id: string): Promise<void>
  /** Writes its processes to the image, paused or not. With that they end, and the runtime forgets them, unless they are left running. */
  checkpoint(options: RuntimeCheckpointOptions): Promise<void>
  /** Makes a container whose processes are those of a checkpoint, running. When this rejects, something of it may be left to delete. */
  restore(options: RuntimeRestoreOptions): Promise<{readonly pid: number}>
  /** Changes limits, and leaves alone what is absent. Idempotent; paused or not. A container that has ended is RUNC_UPDATE_FAILED. */
  update(id: string, limits: OciLimits): Promise<void>
  /** Removes the container, with `force` killing it first. Idempotent: what does not exist is deleted. */
  delete(id: string, options?: {readonly force?: boolean}): Promise<void>
  /** Resolves when no call that a supervisor had begun which has died is under way any more: at its deadline it is killed. */
  settled(): Promise<void>
  /** What the runtime says of the container; undefined when it knows none. */
  state(id: string): Promise<RuntimeState | undefined>
  /**
   * Whether init has executed the user's program, also when it has ended since; false when the runtime knows no such container.
   * @param initPid a process or a zombie; without, a start that was killed in its very last moment is not known from one that failed
   */
  isExecuted(id: string, initPid?: number): Promise<boolean>
  version(): Promise<RuntimeVersion>
}

export interface RuntimeCreateOptions {
  readonly id: string
  /** Directory with config.json. */
  readonly bundle: string
  /** Where the runtime writes init's pid; removed again by create itself. */
  readonly pidFile: string
  readonly stdio: RuntimeStdio
}

export interface RuntimeInit {
  readonly pid: number
  /** Directory with config.json. */
  readonly bundle: string
}

export interface RuntimeExecOptions {
  /** The container's. */
  readonly id: string
  /** The `process` of an OCI spec, as JSON. */
  readonly processFile: string
  /** In whose root file system the program is. */
  readonly initPid?: number | undefined
  /** Where the runtime writes the pid, as seen on the host; it stays there. */
  readonly pidFile: string
  /** Below the container's own groups, and there already: `<path>`, or on v1 `<controller>:<path>`. Not every runtime can do it. */
  readonly group?: string | undefined
  readonly stdio: RuntimeStdio
}

interface CriuOptions {
  readonly id: string
  /** For the logs of criu; made by the caller. */
  readonly workDir: string
  /** More options, in the form of criu's configuration files (criu(8)). */
  readonly criuConfig: string
}

export interface RuntimeCheckpointOptions extends CriuOptions {
  readonly checkpoint: CheckpointSpec
}

export interface RuntimeRestoreOptions extends CriuOptions, RuntimeCreateOptions {
  readonly checkpoint: RestoreSpec
}

export interface RuntimeState {
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped'
  /** 0 when stopped. */
  readonly pid: number
}

export interface RuntimeVersion {
  readonly name: string
  readonly version: string
  readonly path: string
}
