// A text with Markdown in it, such as a memory: its beginning, and all of it on request.
import { UnstyledButton } from '@mantine/core';
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Markdown } from './markdown';

export function Excerpt({ text }: { text: string }) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState(false);
  const [cut, setCut] = useState(false);
  const id = useId();
  useEffect(() => {
    const element = box.current;
    if (!element || opened) return;
    const look = () => setCut(element.scrollHeight > element.clientHeight + 1);
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
    return () => sizes.disconnect();
  }, [opened]);
  return (
    <>
      <div ref={box} id={id} className="excerpt" data-cut={cut && !opened} data-opened={opened}>
        <Markdown text={text} streaming={false} />
      </div>
      {(cut || opened) && (
        <UnstyledButton
          className="bubble-more"
          aria-expanded={opened}
          aria-controls={id}
          onClick={() => setOpened(!opened)}
        >
          {t(opened ? 'text.less' : 'text.more')}
        </UnstyledButton>
      )}
    </>
  );
}
