/** Entries that are made with a framework's own classes or decorators: they need it when they are loaded. All others need none. */
export const MADE_WITH: Readonly<Record<string, readonly string[]>> = {
  './adapters/nestjs': ['@nestjs/common', '@nestjs/core'],
};
