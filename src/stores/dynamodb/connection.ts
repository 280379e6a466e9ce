/** The client that the store was given, or one of its own for an address: an endpoint as a URL, or a region of AWS. */
import { SessionConfigError } from '../../errors.ts';
import { type Call, callsOf, type DynamodbClient, type Sdk } from './client.ts';

export interface DynamodbAddress {
  /** Undefined: the region's own. */
  readonly endpoint: string | undefined;
  /** Undefined: as the SDK finds it (environment, profile). */
  readonly region: string | undefined;
  /** Undefined: as the SDK finds them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

interface OwnClient extends DynamodbClient {
  destroy(): void;
}

const PACKAGE: string = '@aws-sdk/client-dynamodb';
/** Where DynamoDB Local and its like listen, and what Flask-Session connects to unless told otherwise. */
const LOCAL = 'http://localhost:8000';
const LOCAL_REGION = 'us-west-2';
/** Milliseconds. */
const CONNECT_TIMEOUT = 3000;

/** Makes its client, or loads what goes with the one that was given, at the first use. What fails is tried again at the next. */
export class DynamodbConnection {
  readonly #target: { readonly client: DynamodbClient } | { readonly address: DynamodbAddress };
  readonly #timeout: number;
  readonly #prepare: (call: Call) => Promise<void>;
  #sdk: Promise<Sdk> | undefined;
  #own: OwnClient | undefined;
  #call: Promise<Call> | undefined;
  #closed = false;

  /**
   * @param timeout milliseconds after which a request is aborted
   * @param prepare done once, before anything else
   */
  constructor(
    target: { readonly client: DynamodbClient } | { readonly address: DynamodbAddress },
    timeout: number,
    prepare: (call: Call) => Promise<void>,
  ) {
    this.#target = target;
    this.#timeout = timeout;
    this.#prepare = prepare;
  }

  get closed(): boolean {
    return this.#closed;
  }

  open(): Promise<Call> {
    this.#call ??= this.#begin().catch((error: unknown) => {
      this.#call = undefined;
      throw error;
    });
    return this.#call;
  }

  close(): void {
    this.#closed = true;
    this.#own?.destroy();
    this.#own = undefined;
  }

  async #begin(): Promise<Call> {
    const client = 'client' in this.#target ? this.#target.client : await this.#openClient(this.#target.address);
    const call = callsOf(client, () => this.#load(), this.#timeout);
    await this.#prepare(call);
    return call;
  }

  async #openClient({ endpoint, region, credentials }: DynamodbAddress): Promise<OwnClient> {
    const { DynamoDBClient } = await this.#load();
    if (this.#closed) throw new Error('the store was closed');
    this.#own ??= new DynamoDBClient!({
      ...(endpoint && { endpoint }),
      ...(region && { region }),
      ...(credentials && { credentials }),
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT },
    }) as OwnClient;
    return this.#own;
  }

  #load(): Promise<Sdk> {
    this.#sdk ??= loadSdk().catch((error: unknown) => {
      this.#sdk = undefined;
      throw error;
    });
    return this.#sdk;
  }
}

/**
 * `http[s]://[accessKeyId:secretAccessKey@]host[:port]`. A server on this machine that stands in for DynamoDB checks no
 * credentials but wants some: it gets made-up ones where the environment has none.
 *
 * @throws SessionConfigError, which does not repeat the URL: it may hold a secret
 */
export function parseDynamodbUrl(text: string | undefined, region: string | undefined): DynamodbAddress {
  if (text === undefined && region !== undefined) return { endpoint: undefined, region, credentials: undefined };
  const expected = 'http://host:port or https://host, with accessKeyId:secretAccessKey@ before the host or without';
  const refused = (given: string): SessionConfigError => new SessionConfigError('url', given, expected);
  let url: URL;
  try {
    url = new URL(text ?? LOCAL);
  } catch {
    throw refused('a text that is no URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(`a URL of the scheme ${url.protocol}//`);
  if (Boolean(url.username) !== Boolean(url.password)) throw refused('a URL with one half of the credentials');
  const environment = process.env;
  const made = { accessKeyId: 'local', secretAccessKey: 'local' };
  const given = { accessKeyId: decoded(url.username), secretAccessKey: decoded(url.password) };
  const local = isLocal(url.hostname) && !environment.AWS_ACCESS_KEY_ID;
  return {
    endpoint: url.origin,
    region: region ?? (environment.AWS_REGION || environment.AWS_DEFAULT_REGION || LOCAL_REGION),
    credentials: url.username ? given : local ? made : undefined,
  };
}

/** @throws SessionConfigError when it is not installed */
export async function loadSdk(load: (name: string) => Promise<unknown> = importModule): Promise<Sdk> {
  try {
    return (await load(PACKAGE)) as Sdk;
  } catch (cause) {
    const expected = `an installed SDK (npm install ${PACKAGE}), or a DynamoDB of it as \`client\``;
    throw new SessionConfigError('client', `nothing to talk to DynamoDB with: ${PACKAGE} cannot be loaded`, expected, {
      cause,
    });
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SessionConfigError('url', 'a URL with a malformed escape', '%25 for a % in the credentials');
  }
}

/** Named at run time, so that bundlers do not ask for a driver that is not used. */
function importModule(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host);
}
