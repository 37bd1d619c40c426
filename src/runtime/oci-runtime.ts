import type {CheckpointSpec, RestoreSpec} from '../../machines/schemas/checkpoint.ts'
import type {SignalName} from '../../machines/schemas/signals.ts'
import type {OciLimits} from './spec/oci-spec.ts'
import type {RuntimeStdio} from '../kernel/runtime-stdio.ts'

/**
 * The OCI runtime as the supervisor sees it. Every call has a deadline and is one process start. Errors are
 * `TallyError`s of the table, never the runtime's raw text alone.
 */
export interface OciRuntime {
  /** Creates the container, whose init waits for start. When this rejects, nothing of the container is left. Not idempotent. */
  create(options: RuntimeCreateOptions): Promise<{readonly pid: number}>
  /**
   * Lets init execute the user's program.
   * @param init undefined: it is not checked whether the kernel executes the program
   * @throws TallyError COMMAND_NOT_FOUND, COMMAND_NOT_EXECUTABLE: init has ended, or is about to
   */
  start(id: string, init?: RuntimeInit): Promise<void>
  /** Starts one more process in a container; it becomes a child of the nearest subreaper. When this rejects, it was not started. */
  exec(options: RuntimeExecOptions): Promise<{readonly pid: number}>
  /** Sends a signal to init. A container that has ended is RUNC_KILL_FAILED. */
  kill(id: string, signal: SignalName): Promise<void>
  /** Freezes every process of the container. RUNC_PAUSE_FAILED when it is frozen already. */
  pause(id: string): Promise<void>
  /** Thaws them. RUNC_RESUME_FAILED when it is not frozen. */
  resume(id: string): Promise<void>
  /** Writes its processes to the image, paused or not. Then they end, and the runtime forgets the container, unless it is left running. */
  checkpoint(options: RuntimeCheckpointOptions): Promise<void>
  /** Creates a container whose processes, from a checkpoint, run at once. When this rejects, parts of it may be left to delete. */
  restore(options: RuntimeRestoreOptions): Promise<{readonly pid: number}>
  /** Changes the given limits. Idempotent; paused or not. RUNC_UPDATE_FAILED when the container has ended. */
  update(id: string, limits: OciLimits): Promise<void>
  /** Removes the container; with `force` it is killed first. Idempotent: a container that does not exist is no error. */
  delete(id: string, options?: {readonly force?: boolean}): Promise<void>
  /** Resolves when no call of a former supervisor is running any more. Calls that exceed the deadline are killed. */
  settled(): Promise<void>
  /** The runtime's view of the container; undefined when it does not know the container. */
  state(id: string): Promise<RuntimeState | undefined>
  /**
   * Whether init has executed the user's program, even if it has ended since; false when the runtime does not know the container.
   * @param initPid a process or a zombie. Without it, a start that was killed at its last step looks like one that has failed
   */
  isExecuted(id: string, initPid?: number): Promise<boolean>
  version(): Promise<RuntimeVersion>
}

export interface RuntimeCreateOptions {
  readonly id: string
  /** Directory with config.json. */
  readonly bundle: string
  /** File to which the runtime writes the pid of init; create removes it. */
  readonly pidFile: string
  readonly stdio: RuntimeStdio
}

export interface RuntimeInit {
  readonly pid: number
  /** Directory with config.json. */
  readonly bundle: string
}

export interface RuntimeExecOptions {
  /** Of the container. */
  readonly id: string
  /** The `process` of an OCI spec, as JSON. */
  readonly processFile: string
  /** A process in whose root file system the program is. */
  readonly initPid?: number | undefined
  /** File to which the runtime writes the pid on the host; it is not removed. */
  readonly pidFile: string
  /** An existing cgroup below those of the container: `<path>`, or on v1 `<controller>:<path>`. Not every runtime supports it. */
  readonly group?: string | undefined
  readonly stdio: RuntimeStdio
}

interface CriuOptions {
  readonly id: string
  /** Directory for the logs of criu; the caller creates it. */
  readonly workDir: string
  /** Path of a configuration file with more options for criu (criu(8)). */
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
