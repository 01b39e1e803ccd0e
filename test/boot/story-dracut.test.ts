/** The main job with a tree whose initial RAM disk dracut made. */
import { tellShortStory } from './lab/short-story.ts';

tellShortStory('a tree with dracut', { kind: 'bios', initrd: 'dracut' });
