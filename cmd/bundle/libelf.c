/*
 * libelf.c - what the static libelf of Debian 13 leaves out of itself.
 *
 * Since 0.192 libelf keeps the pieces that elf_getdata_rawchunk() hands out in a tree, made when a file is opened and
 * ended with it. The functions for that are in a library of elfutils that is not installed. Nothing here hands out such
 * pieces, so the tree is empty, and there is nothing to make or to end. Where libelf has the functions, it has its own.
 */
void eu_search_tree_init(void *tree, void *compare);
void eu_search_tree_fini(void *tree, void *free_node);

__attribute__((weak)) void eu_search_tree_init(void *tree, void *compare)
{
	(void)tree, (void)compare;
}

__attribute__((weak)) void eu_search_tree_fini(void *tree, void *free_node)
{
	(void)tree, (void)free_node;
}
