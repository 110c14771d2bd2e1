/* idf_main.c: calls what ESP-IDF would call. */
void app_main(void);

int main(void)
{
    app_main();
    return 0;
}
