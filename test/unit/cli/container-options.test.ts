import {Command} from 'commander'
import {describe, expect, it} from 'vitest'
import {createRequestSchema} from '../../../machines/schemas/create-request.ts'
import type {ContainerFlags} from '../../../src/cli/container-flags.ts'
import {addContainerOptions} from '../../../src/cli/container-options.ts'
import {toCreateRequest} from '../../../src/cli/container-request.ts'

function request(line: string) {
  let made: unknown
  const command = addContainerOptions(new Command('run').exitOverride().configureOutput({writeErr: () => {}}))
  command.action((args: readonly string[], flags: ContainerFlags) => {
    made = toCreateRequest(flags, args, {namespace: 'default', autoRemove: false})
  })
  command.parse(line.split(' '), {from: 'user'})
  return made
}

const plain = {namespace: 'default', autoRemove: false, rootfs: '/r', overlay: true, args: ['true'], env: []}

describe('the options of a container', () => {
  it.each<[string, object]>([
    ['--rootfs /r true', {}],
    ['--rootfs /r sh -c --rm', {args: ['sh', '-c', '--rm']}],
    [
      '--rootfs /r -v /a:/b -v /c:/d:ro --tmpfs /t true',
      {
        mounts: [
          {type: 'bind', source: '/a', target: '/b'},
          {type: 'bind', source: '/c', target: '/d', readOnly: true},
          {type: 'tmpfs', target: '/t'},
        ],
      },
    ],
    ['--rootfs /r --memory 64m --cpus 0.5 --pids-limit 10 true', {memoryBytes: 67_108_864, cpus: 0.5, pidsLimit: 10}],
    ['--rootfs /r --memory 64m --memory-swap 1g true', {memoryBytes: 67_108_864, memorySwapBytes: 1_073_741_824}],
    [
      '--rootfs /r --memory 64m --memory-swap -1 --cpu-shares 512 --cpuset-cpus 0-1 true',
      {memoryBytes: 67_108_864, memorySwapBytes: null, cpuShares: 512, cpusetCpus: '0-1'},
    ],
    ['--rootfs /r --read-only --cap-add NET_ADMIN --cap-drop ALL true', {readOnly: true, capAdd: ['NET_ADMIN'], capDrop: ['ALL']}],
    ['--rootfs /r -l a=b -l c= -l d=e=f true', {labels: {a: 'b', c: '', d: 'e=f'}}],
    ['--rootfs /r -e A=1 -e B=x=y true', {env: ['A=1', 'B=x=y']}],
    [
      '--rootfs /r --runtime crun --runtime-root /run/x --no-pivot --no-new-keyring --systemd-cgroup true',
      {runtime: {binary: 'crun', root: '/run/x', noPivot: true, noNewKeyring: true, systemdCgroup: true}},
    ],
    ['--rootfs /r --privileged --uts host true', {privileged: true, uts: 'host'}],
    ['--rootfs /r --pid host --ipc container:db --net container:db true', {pid: 'host', ipc: 'container:db', network: 'container:db'}],
    [
      '--rootfs /r --security-opt seccomp=unconfined --security-opt no-new-privileges=false --security-opt apparmor=p true',
      {seccomp: 'unconfined', noNewPrivileges: false, apparmor: 'p'},
    ],
    [
      '--rootfs /r --device /dev/fuse --device /dev/a:/dev/b:wr true',
      {
        devices: [
          {source: '/dev/fuse', access: 'rwm'},
          {source: '/dev/a', target: '/dev/b', access: 'rw'},
        ],
      },
    ],
    [
      '--rootfs /r --ulimit nofile=1024:4096 --ulimit core=-1 --annotation a.b=c true',
      {
        ulimits: [
          {name: 'nofile', soft: 1024, hard: 4096},
          {name: 'core', soft: -1, hard: -1},
        ],
        annotations: {'a.b': 'c'},
      },
    ],
    [
      '--rootfs /r --mount type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777 true',
      {
        mounts: [
          {type: 'bind', source: '/a', target: '/b', readOnly: true, propagation: 'rslave'},
          {type: 'tmpfs', target: '/t', sizeBytes: 1_048_576, mode: 0o1777},
        ],
      },
    ],
  ])('%s', (line, fields) => {
    expect(request(line)).toEqual({...plain, ...fields})
    expect(createRequestSchema.safeParse(request(line)).success).toBe(true)
  })

  it('asks for no overlay with --rw', () => {
    expect(request('--rootfs /r --rw true')).toEqual({namespace: 'default', autoRemove: false, rootfs: '/r', args: ['true'], env: []})
  })

  it('takes mounts as the root file system, with their options last', () => {
    const line = '--rootfs-mount type=overlay,source=overlay,options=lowerdir=/a:/b,ro --rootfs-mount type=tmpfs,src=t,target=/tmp true'
    const rootfsMounts = [
      {type: 'overlay', source: 'overlay', options: ['lowerdir=/a:/b', 'ro']},
      {type: 'tmpfs', source: 't', target: '/tmp'},
    ]
    expect(request(line)).toEqual({namespace: 'default', autoRemove: false, rootfsMounts, args: ['true'], env: []})
  })

  it.each([
    ['--rootfs /r --rootfs-mount type=tmpfs,source=t true', /expected one of --rootfs DIR, --rootfs-mount FIELDS and --bundle DIR/],
    ['--rootfs-mount type=tmpfs true', /expected type=TYPE,source=SOURCE/],
    ['--rootfs /r --mount type=nfs,target=/a true', /expected|Invalid/],
    ['--rootfs /r --mount type=bind,source=/a,into=/b true', /expected one of type, source/],
    ['--rootfs /r --ulimit files=3 true', /expected NAME=SOFT or NAME=SOFT:HARD/],
    ['--rootfs /r --device fuse true', /expected \/dev\/NAME/],
    ['--rootfs /r --security-opt label=x true', /expected seccomp=default, seccomp=unconfined/],
    ['--rootfs /r --pid container:../x true', /expected --pid private, host or container:ID/],
    ['--rootfs /r --network bridge true', /expected --network none, host or container:ID/],
    ['--rootfs /r -v /a true', /expected SOURCE:TARGET/],
    ['--rootfs /r -v /a:/b:rx true', /another option than "rx"/],
    ['--rootfs /r --memory lots true', /expected a size such as 64m/],
    ['--rootfs /r --memory 0 true', /expected a size such as 64m/],
    ['--rootfs /r --cpus 0 true', /expected a number of CPUs/],
    ['--rootfs /r -l =x true', /expected NAME=VALUE/],
    ['--bundle /b --read-only --memory 1m', /got --read-only, --memory as well/],
    ['--bundle /b true', /got a command as well/],
    ['true', /expected one of --rootfs DIR, --rootfs-mount FIELDS and --bundle DIR/],
    ['--rootfs /r --ulimit nofile=1 --ulimit core=0 --ulimit nofile=2 true', /expected one --ulimit for nofile, got several/],
    [
      '--rootfs /r --security-opt seccomp=default --security-opt seccomp=unconfined true',
      /expected one --security-opt for seccomp, got several/,
    ],
    ['--rootfs /r --cap-add SYSLOG --cap-drop cap_syslog true', /expected SYSLOG either in --cap-add or in --cap-drop, got both/],
    ['--rootfs /r --log-opt max-size=1m --log-opt max-size=2m true', /expected one max-size, got several/],
  ])('%s is refused', (line, message) => {
    expect(() => request(line)).toThrow(message)
  })
})
