import { BlockList, isIP, isIPv6 } from 'node:net';

/** Reads the address a request came from: the peer's, or, where that is a proxy of ours, what it says in `X-Forwarded-For`. */
export class ClientAddresses {
  readonly #trusted: BlockList;

  /** `trusted`: networks as CIDR or single addresses, well formed. */
  constructor(trusted: readonly string[]) {
    this.#trusted = networks(trusted);
  }

  /**
   * What limits are kept by: an IPv4 address, or the /64 an IPv6 address is in, which is one household's. undefined where there is none to go by: this machine itself, and a peer of a private network,
   * behind which a whole cluster's load balancer may stand that nobody told us of: banning that would ban everybody.
   * Each proxy adds at the right whom it heard from; what stands left of one that we do not trust, anybody may have written.
   */
  of(peer: string, forwardedFor: string): string | undefined {
    let address = canonical(peer);
    let isPeer = true;
    const hops = forwardedFor === '' ? [] : forwardedFor.split(',');
    while (address !== undefined && this.#isTrusted(address) && hops.length > 0) {
      const before = canonical(hops.pop()!.trim());
      if (before === undefined) break;
      address = before;
      isPeer = false;
    }
    if (address === undefined || isIn(isPeer ? privateNetworks : thisMachine, address)) return undefined;
    return isIPv6(address) ? `${network64(address)}::/64` : address;
  }

  #isTrusted(address: string): boolean {
    return isIn(this.#trusted, address);
  }
}

/** As RFC 5952 spells it, and IPv4 inside IPv6 as IPv4; undefined for what is no address. */
function canonical(text: string): string | undefined {
  // Some proxies add the port.
  const address = /^\[(.+)\](:\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  const family = isIP(address);
  if (family !== 6) return family === 4 ? address : undefined;
  // A zone means something on its own machine only.
  const spelled = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(spelled);
  if (!mapped) return spelled;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function network64(address: string): string {
  const [left = '', right = ''] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === '' ? [] : right.split(':');
  const all = address.includes('::') ? [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail] : head;
  return all.slice(0, 4).join(':');
}

function networks(written: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of written) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

const machine = ['127.0.0.0/8', '::1'];
const thisMachine = networks(machine);
/** RFC 1918, 6598, 3927, 4193, 4291. */
const privateNetworks = networks([
  ...machine,
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
]);
