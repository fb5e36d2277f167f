for i in range(2000000):
    pass
print(int(input()) // 0)
