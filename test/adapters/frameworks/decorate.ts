type Class = abstract new (...args: never[]) => object;

/**
 * `@A() method(@P() first, @Q() second)` as calls: Node erases types, and does not know decorators.
 * @param member undefined: the constructor
 */
export function decorate(
  owner: Class,
  member: string | undefined,
  decorators: readonly (MethodDecorator | ClassDecorator)[],
  parameters: readonly ParameterDecorator[] = [],
): void {
  const target: object = member === undefined ? owner : owner.prototype;
  for (const [i, decorator] of parameters.entries()) decorator(target, member, i);
  for (const decorator of decorators) {
    if (member === undefined) (decorator as ClassDecorator)(owner as never);
    else {
      const descriptor = Object.getOwnPropertyDescriptor(target, member) as PropertyDescriptor;
      (decorator as MethodDecorator)(target, member, descriptor);
    }
  }
}
