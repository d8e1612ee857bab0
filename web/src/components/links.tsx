// Mantine's button and anchor as links of the router, whose addresses and parameters are checked by their types.
import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type Plain = AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

export const ButtonLink = createLink((props: Omit<ButtonProps, keyof Plain> & Plain) => (
  <Button component="a" {...props} />
));
export const AnchorLink = createLink((props: Omit<AnchorProps, keyof Plain> & Plain) => <Anchor {...props} />);
